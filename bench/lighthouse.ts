import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { build } from "../scripts/build.mjs";
import { ping } from "../scripts/engine-ping.mjs";
import { describe } from "../scripts/problem.mjs";
import { RESULTS } from "./bed.ts";
import { interruption } from "./interruption.ts";
import { findingsTable, found, isGood, LIMITS, type Finding } from "./lighthouse/findings.ts";
import { FurnishedHouse } from "./lighthouse/furnished-house.ts";
import { judge, type Judgement } from "./lighthouse/lighthouse.ts";
import { FORMS, VIEWS, type View } from "./lighthouse/views.ts";
import { positive } from "./positive.ts";
import { Progress } from "./report/progress.ts";

const REPORTS = join(RESULTS, "lighthouse");
const VIEW_NAMES = VIEWS.map(({ name }) => name).join(", ");

interface Arguments {
  only?: readonly View[];
  runs: number;
}

const command = new Command("npm run lighthouse --")
  .description("Has Lighthouse judge the page, signed in, on a phone and at a desk; fails where it is not good enough.")
  .option("--only <views>", `look only at these of ${VIEW_NAMES}`, viewsOf)
  .option("--runs <n>", "looks at each view, of which the median counts", positive, 3)
  .allowExcessArguments(false)
  .parse();

await main(command.opts<Arguments>()).catch((error: unknown) => {
  console.error(describe(error));
  process.exitCode = 1;
});

async function main({ only = VIEWS, runs }: Arguments): Promise<void> {
  if ((await ping()) !== "ok") throw new Error("No Docker Engine answers; run 'npm run setup' first.");
  await build();
  await mkdir(REPORTS, { recursive: true });
  const findings = await look(only, runs, interruption());
  console.log(`\n${findingsTable(findings)}\n\n${LIMITS} The reports lie in ${relative("", REPORTS)}.`);
  if (!findings.every(isGood)) process.exitCode = 1;
}

/** Each in turn, again and again, so that a slow spell of the machine falls on all. */
async function look(views: readonly View[], runs: number, signal: AbortSignal): Promise<Finding[]> {
  await using house = await FurnishedHouse.open();
  const told = new Progress(process.stderr).of("Looks");
  const subjects = views.flatMap((view) => FORMS.map((form) => ({ view, form, looks: [] as Judgement[] })));
  for (let run = 0; run < runs; run++) {
    for (const [index, { view, form, looks }] of subjects.entries()) {
      const url = house.url + view.path(house);
      const report = join(REPORTS, `${view.name}-${form}`);
      const { folder, headersFile } = house;
      looks.push(await judge({ url, form, folder, report, ...(view.signedIn && { headersFile }) }, signal));
      told(run * subjects.length + index + 1, runs * subjects.length);
    }
  }
  return subjects.map(({ view, form, looks }) => found(`${view.name}, ${form}`, looks));
}

function viewsOf(text: string): View[] {
  const names = text.split(",");
  const chosen = VIEWS.filter(({ name }) => names.includes(name));
  if (chosen.length === names.length) return chosen;
  throw new InvalidArgumentError(`They must be of ${VIEW_NAMES}.`);
}
