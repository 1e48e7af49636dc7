import "./node-version.mjs";
import { randomInt } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runAsEntry, SetupProblem } from "./problem.mjs";
import { setup } from "./setup.mjs";
import { testTools } from "./test-tools.mjs";
import { runTests } from "./test.mjs";

const HELP = `npm run soak -- [--schedules N] [--seed S] [--path P]

Runs every test of faults, in each order and as often as takes hours where npm test has minutes, and N random schedules
of commands and faults (100 where none is given), then writes what they cost to docs/faults.md. Exit code 1 where
anything was lost, duplicated, orphaned or hung, or a test failed.

  --schedules N   how many random schedules to run
  --seed S        the seed that an earlier run has printed: its schedules once more
  --path P        the path that a failure has printed with its seed: that schedule alone, without the page`;

const SCHEDULES = "e2e/schedules/schedules.test.ts";
const WHOLE_NUMBER = /^\d{1,10}$/;

/** Longer than `npm test` has time for, and on paper. */
async function soak() {
  const { help, schedules, seed, path } = readOptions(process.argv.slice(2));
  if (help) return console.log(HELP);
  await setup();
  await testTools();
  const command = `npm run soak -- --schedules ${schedules} --seed ${seed}`;
  Object.assign(process.env, { DOCKHOST_SOAK: "1", DOCKHOST_SCHEDULES: schedules, DOCKHOST_SCHEDULE_SEED: seed });
  if (path !== undefined) process.env["DOCKHOST_SCHEDULE_PATH"] = path;
  else Object.assign(process.env, { DOCKHOST_LEDGER_PAGE: "docs/faults.md", DOCKHOST_LEDGER_COMMAND: command });
  console.log(`… ${command}`);
  const files = path === undefined ? testsOfFaults() : [SCHEDULES];
  process.exitCode = await runTests([...files, "--project", "e2e", "--disable-console-intercept"]);
}

/**
 * Those that put a row into the table, or try more here, wherever they stand; the schedules do it through a file of
 * their own.
 */
export function testsOfFaults() {
  const tests = readdirSync("e2e", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  const puttingRows = tests
    .map((file) => join("e2e", file))
    .filter((file) => /\/(ledger|rounds)\.ts"/.test(readFileSync(file, "utf8")));
  return [SCHEDULES, ...puttingRows];
}

/** @param {string[]} args */
function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: "boolean", short: "h", default: false },
        schedules: { type: "string", default: "100" },
        seed: { type: "string", default: String(randomInt(2 ** 31)) },
        path: { type: "string" },
      },
    });
    const { schedules, seed } = values;
    if (!WHOLE_NUMBER.test(schedules) || !WHOLE_NUMBER.test(seed)) throw new Error("a number is no whole number");
    return values;
  } catch (error) {
    throw new SetupProblem(`${error instanceof Error ? error.message : String(error)}.`, HELP);
  }
}

runAsEntry(import.meta.url, soak);
