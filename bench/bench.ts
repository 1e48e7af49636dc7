import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { build } from "../scripts/build.mjs";
import { ping, socketPath } from "../scripts/engine-ping.mjs";
import { describe } from "../scripts/problem.mjs";
import { RESULTS, TestBed, type Options } from "./bed.ts";
import type { Measurement } from "./measurement.ts";
import { describeMachine } from "./report/machine.ts";
import { markdown, type Report } from "./report/markdown.ts";
import { writePerformancePage } from "./report/performance-page.ts";
import { Progress } from "./report/progress.ts";
import { measureCreate } from "./sections/create.ts";
import { measureList } from "./sections/list.ts";
import { measureMainServer } from "./sections/main-server.ts";
import { measureStartup } from "./sections/startup.ts";

/** What can be measured; each section stands alone. */
const SECTIONS = {
  create: measureCreate,
  list: measureList,
  startup: measureStartup,
  "main-server": measureMainServer,
} as const;
type SectionName = keyof typeof SECTIONS;
const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];

interface Arguments {
  only?: SectionName;
  samples: number;
  concurrency: number[];
  write?: true;
}

const command = new Command("npm run bench --")
  .description("Measures DockHost against the raw Engine API and docker run, in turn on this machine.")
  .addOption(new Option("--only <section>", "measure one section").choices(SECTION_NAMES))
  .option("--samples <n>", "rounds of each way", positive, 24)
  .option("--concurrency <list>", "creates at a time, such as 1,4", (text) => text.split(",").map(positive), [1, 4])
  .option("--write", "put the figures into docs/performance.md")
  .allowExcessArguments(false)
  .parse();

await main(command.opts<Arguments>()).catch((error: unknown) => {
  console.error(describe(error));
  process.exitCode = 1;
});

async function main({ only, write, ...options }: Arguments): Promise<void> {
  if ((await ping()) !== "ok") throw new Error("No Docker Engine answers; run 'npm run setup' first.");
  await build();
  const report = await measure(only ? [only] : SECTION_NAMES, options);
  const text = markdown(report);
  console.log(`\n${text}\n`);
  await writeFile(join(RESULTS, "latest.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  if (write) await writePerformancePage(text);
}

async function measure(names: readonly SectionName[], options: Options): Promise<Report> {
  await using bed = await TestBed.open(socketPath(), options, interruption());
  const machine = await describeMachine(bed.engine);
  const progress = new Progress(process.stderr);
  const measurements: Measurement[] = [];
  for (const name of names) measurements.push(...(await SECTIONS[name](bed, progress)));
  return { command: ["npm run bench", ...whatWasAsked()].join(" "), machine, measurements };
}

/** What is under way ends, what was made is removed, and nothing further is begun. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Each time: npm and tsx hand on what the terminal has sent to this process already.
    process.on(signal, () => controller.abort(new Error("Interrupted; what the bench made is removed.")));
  }
  return controller.signal;
}

/** But for --write, which changes no figure. */
function whatWasAsked(): string[] {
  const asked = process.argv.slice(2).filter((argument) => argument !== "--write");
  return asked.length > 0 ? ["--", ...asked] : [];
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
