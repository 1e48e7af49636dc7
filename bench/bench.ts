import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { build } from "../scripts/build.mjs";
import { ping, socketPath } from "../scripts/engine-ping.mjs";
import { describe } from "../scripts/problem.mjs";
import { RESULTS, TestBed, type Options } from "./bed.ts";
import { BOUNDS } from "./bounds.ts";
import { interruption } from "./interruption.ts";
import { positive } from "./positive.ts";
import { describeMachine } from "./report/machine.ts";
import { markdown } from "./report/markdown.ts";
import { recorded, writePerformancePage } from "./report/performance-page.ts";
import { Progress } from "./report/progress.ts";
import { measurementsOf, type Report, type SectionReport } from "./report/report.ts";
import { verdictTable } from "./report/verdict-table.ts";
import { measureCreate } from "./sections/create.ts";
import { measureCrowd } from "./sections/crowd.ts";
import { measureGrowth } from "./sections/growth.ts";
import { measureList } from "./sections/list.ts";
import { measureMainServer } from "./sections/main-server.ts";
import { measureStartup } from "./sections/startup.ts";
import { measureWarm } from "./sections/warm.ts";
import { isGood, judge } from "./verdicts.ts";

/** What can be measured; each section stands alone. */
const SECTIONS = {
  create: measureCreate,
  warm: measureWarm,
  list: measureList,
  startup: measureStartup,
  crowd: measureCrowd,
  growth: measureGrowth,
  "main-server": measureMainServer,
} as const;
type SectionName = keyof typeof SECTIONS;
const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];

interface Arguments {
  only?: SectionName[];
  samples: number;
  concurrency: number[];
  check?: boolean;
  write?: boolean;
}

const command = new Command("npm run bench --")
  .description("Measures DockHost against the raw Engine API and docker run, in turn on this machine.")
  .option("--only <sections>", `measure only these of ${SECTION_NAMES.join(", ")}`, sectionNames)
  .option("--samples <n>", "rounds of each way", positive, 24)
  .option(
    "--concurrency <list>",
    "creates at a time, such as 1,4",
    (text) => text.split(",").map(positive),
    [1, 2, 4, 8],
  )
  .addOption(new Option("--check", "fail where a ratio passes its bound in bench/bounds.ts").conflicts("write"))
  .option("--write", "put the figures into docs/performance.md")
  .allowExcessArguments(false)
  .parse();

await main(command.opts<Arguments>()).catch((error: unknown) => {
  console.error(describe(error));
  process.exitCode = 1;
});

async function main({ only, write, check = false, ...asked }: Arguments): Promise<void> {
  if ((await ping()) !== "ok") throw new Error("No Docker Engine answers; run 'npm run setup' first.");
  await build();
  const names = only ?? (check ? SECTION_NAMES.filter(hasBounds) : SECTION_NAMES);
  const { report, failure } = await measure(names, { ...asked, onlyRawBaseline: check });
  console.log(`\n${markdown(report)}\n`);
  await writeFile(join(RESULTS, "latest.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  if (write) await writePerformancePage(report, SECTION_NAMES);
  if (check) await hold(report, names);
  if (failure) throw failure;
}

/** Where one section fails, those before it are told all the same: they took long. */
async function measure(names: readonly SectionName[], options: Options): Promise<{ report: Report; failure?: Error }> {
  await using bed = await TestBed.open(socketPath(), options, interruption());
  const machine = await describeMachine(bed.engine);
  const progress = new Progress(process.stderr);
  const sections: SectionReport[] = [];
  try {
    for (const section of names) {
      const [load = 0] = loadavg();
      const begun = { section, command: ["npm run bench", ...whatWasAsked()].join(" "), date: today(), load };
      sections.push({ ...begun, measurements: await SECTIONS[section](bed, progress) });
      await bed.beginAnew();
    }
  } catch (failure) {
    return { report: { machine, sections }, failure: toError(failure) };
  }
  return { report: { machine, sections } };
}

function toError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}

/** Prints how each figure stands to its bound and to the recorded one; the exit code tells whether all hold. */
async function hold(report: Report, names: readonly SectionName[]): Promise<void> {
  const before = await recorded();
  const bounds = BOUNDS.filter(({ section }) => names.some((name) => name === section));
  const verdicts = judge(bounds, measurementsOf(report), before ? measurementsOf(before) : []);
  console.log(`${verdictTable(verdicts)}\n`);
  if (!verdicts.every(isGood)) process.exitCode = 1;
}

function hasBounds(name: SectionName): boolean {
  return BOUNDS.some(({ section }) => section === name);
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** But for --write, which changes no figure. */
function whatWasAsked(): string[] {
  const asked = process.argv.slice(2).filter((argument) => argument !== "--write");
  return asked.length > 0 ? ["--", ...asked] : [];
}

function sectionNames(text: string): SectionName[] {
  const names = text.split(",");
  const found = SECTION_NAMES.filter((name) => names.includes(name));
  if (found.length === names.length) return found;
  throw new InvalidArgumentError(`They must be of ${SECTION_NAMES.join(", ")}.`);
}
