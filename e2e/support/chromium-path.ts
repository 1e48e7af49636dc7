import { existsSync } from "node:fs";
import { which } from "../../scripts/run.mjs";

const DEBIANS = "/usr/bin/chromium";

export function chromiumPath(): string {
  const found = existsSync(DEBIANS) ? DEBIANS : which("chromium");
  if (found === undefined)
    throw new Error("Chromium is missing, in which the page is looked at (apt-get install chromium).");
  return found;
}
