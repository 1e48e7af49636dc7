import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./backend-process.ts";

/** Makes a process take the time of day from the machine's clock and what stands in a file; monotonic time is as it is. */
const PRELOADED = `
import { readFileSync } from "node:fs";
const Real = Date;
const now = () => Real.now() + Number(readFileSync(process.env.TEST_CLOCK, "utf8"));
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
`;

/** The time of day as some processes see it. */
export class JumpingClock implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "dockhost-clock-"));

  constructor() {
    writeFileSync(join(this.#folder, "preloaded.mjs"), PRELOADED);
    this.jumpTo(0);
  }

  /** Of the processes that live by this clock. */
  get environment(): Environment {
    return {
      NODE_OPTIONS: `--import ${join(this.#folder, "preloaded.mjs")}`,
      TEST_CLOCK: join(this.#folder, "offset"),
    };
  }

  /** So far from the machine's own clock, days; the past is negative. */
  jumpTo(days: number): void {
    writeFileSync(join(this.#folder, "offset"), String(days * 24 * 60 * 60 * 1_000));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
