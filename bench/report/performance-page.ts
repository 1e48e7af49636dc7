import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { markdown } from "./markdown.ts";
import { panelsOf } from "./plot.ts";
import { measurementsOf, merged, summarized, type Report } from "./report.ts";
import { svg } from "./svg.ts";

const inDocs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const PAGE = inDocs("performance.md");
const RECORD = inDocs("performance.json");
const PLOT = inDocs("performance.svg");
const BEGIN = "<!-- figures: written by npm run bench -- --write -->";
const END = "<!-- end of figures -->";
const SHOWN =
  "![Medians as bars or points, 95th percentiles as whiskers; the tables below tell the same in figures](performance.svg)";

/** The figures that the page shows now; undefined where it has never been written. */
export async function recorded(): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(RECORD, "utf8")) as Report;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Records `report`, and draws plot and figures of the page from the record; the text around them stays. */
export async function writePerformancePage(report: Report, order: readonly string[]): Promise<void> {
  const all = summarized(merged(await recorded(), report, order));
  await writeFile(RECORD, `${JSON.stringify(all, undefined, 2)}\n`);
  await writeFile(PLOT, svg(panelsOf(measurementsOf(all))));
  await writeFigures(`${SHOWN}\n\n${markdown(all)}`);
}

async function writeFigures(figures: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has lost the marks around its figures.`);
  await writeFile(PAGE, `${before}${BEGIN}\n\n${figures}\n\n${END}${after}`);
}
