import { readFileSync } from "node:fs";

/** Of this package; its file lies one folder above, seen from the source and from the build alike. */
export const VERSION = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version;
