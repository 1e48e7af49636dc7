import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { chromiumPath } from "../../e2e/support/chromium-path.ts";
import type { Form } from "./views.ts";

/** Fetched when it is asked for: it is greater than all that DockHost itself needs. */
const LIGHTHOUSE = "lighthouse@13.5.0";

interface Look {
  url: string;
  form: Form;
  /** A file of the headers that go with every request, JSON. */
  headersFile?: string;
  /** For what Chromium leaves behind. */
  folder: string;
  /** Where the report is put, as `.report.json` and, to be looked at, `.report.html`. */
  report: string;
}

/** Scores go to 100. */
export interface Judgement {
  performance: number;
  accessibility: number;
  /** All that came over the line, as compressed as it came. */
  firstLoadKiB: number;
}

interface LighthouseReport {
  finalDisplayedUrl: string;
  runtimeError?: { message: string };
  categories: Record<"performance" | "accessibility", { score: number | null }>;
  audits: Record<"total-byte-weight", { numericValue: number }>;
}

/** Has Lighthouse look at a page, in a Chromium that has never seen it. */
export async function judge(look: Look, signal: AbortSignal): Promise<Judgement> {
  await runLighthouse(look, signal);
  const report = JSON.parse(await readFile(`${look.report}.report.json`, "utf8")) as LighthouseReport;
  if (report.runtimeError) throw new Error(`${look.url}: ${report.runtimeError.message}`);
  // As when somebody who should be signed in was not.
  if (report.finalDisplayedUrl !== look.url) throw new Error(`${look.url} has led to ${report.finalDisplayedUrl}.`);
  const { categories, audits } = report;
  return {
    performance: hundredths(categories.performance.score),
    accessibility: hundredths(categories.accessibility.score),
    firstLoadKiB: audits["total-byte-weight"].numericValue / 1024,
  };
}

/** No score at all is as bad as the worst. */
const hundredths = (score: number | null): number => Math.round((score ?? 0) * 100);

async function runLighthouse(look: Look, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn("npx", ["--yes", LIGHTHOUSE, ...argumentsFor(look)], {
    env: { PATH, HOME, TMPDIR: look.folder, CHROME_PATH: chromiumPath() },
    stdio: ["ignore", "ignore", "pipe"],
    // A group of its own, so that all of it can be told to end.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("npx does not start.");
  // By SIGINT, and by nothing else, it takes its Chromium with it.
  const interrupt = () => process.kill(-pid, "SIGINT");
  signal.addEventListener("abort", interrupt);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(child, "close")) as [number | null];
  signal.removeEventListener("abort", interrupt);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${LIGHTHOUSE} ended with ${code}:\n${said}`);
}

const argumentsFor = ({ url, form, headersFile, report }: Look): string[] => [
  url,
  "--quiet",
  "--no-enable-error-reporting",
  "--only-categories=performance,accessibility",
  "--output=json",
  "--output=html",
  `--output-path=${report}`,
  // Chromium's sandbox does not start for root.
  "--chrome-flags=--headless=new --no-sandbox",
  ...(form === "desktop" ? ["--preset=desktop"] : []),
  ...(headersFile === undefined ? [] : [`--extra-headers=${headersFile}`]),
];
