import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { record } from "../faults/ledger.ts";
import type { Fault } from "../faults/ledger-faults.ts";
import { Model } from "./model.ts";
import { Ruin, type Loss } from "./ruin.ts";
import { anyStep } from "./steps.ts";
import { judge } from "./verdict.ts";
import { World } from "./world.ts";

/** How long a history that ends in ruin may be made shorter, ms. */
export const SHRINK_MS = 240_000;

const TAIL_LINES = 60;

export interface LaneOptions {
  seed: number;
  /** As many of these as can be begun `withinMs`. */
  schedules: number;
  withinMs: number;
  /** One schedule alone, by the path that an earlier run has printed. */
  path?: string | undefined;
}

/** One machine after the other in time: schedules that follow each other in a world of their own. */
export class Lane implements AsyncDisposable {
  readonly #options: LaneOptions;
  readonly #world: World;
  readonly #made = new Map<Fault, number>();
  readonly #losses: Record<Loss, number> = { lost: 0, duplicated: 0, orphaned: 0, hung: 0 };
  readonly #openedAt = performance.now();
  #done = 0;
  #ruinedAt: number | undefined;

  private constructor(options: LaneOptions, world: World) {
    this.#options = options;
    this.#world = world;
  }

  static async open(options: LaneOptions): Promise<Lane> {
    return new Lane(options, await World.open());
  }

  /** Carries out the schedules; answers what is wrong, where something is. */
  async run(): Promise<string | undefined> {
    const { seed, schedules, path } = this.#options;
    console.log(`${schedules} schedules with seed ${seed}`);
    const steps = fc.commands(anyStep(), { maxCommands: 12, size: "max" });
    const outcome = await fc.check(
      fc.asyncProperty(steps, (schedule) => this.#carryOut(schedule)),
      { numRuns: schedules, seed, unbiased: true, ...(path !== undefined && { path }) },
    );
    this.#enter();
    if (!outcome.failed) return undefined;
    return `${(await fc.asyncDefaultReportMessage(outcome)) ?? ""}\n\n${String(outcome.errorInstance)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  async #carryOut(steps: Iterable<fc.AsyncCommand<Model, World>>): Promise<void> {
    const begin = performance.now();
    if (this.#ruinedAt === undefined && begin - this.#openedAt > this.#options.withinMs) return;
    fc.pre(this.#ruinedAt === undefined || begin - this.#ruinedAt < SHRINK_MS);
    const model = new Model();
    this.#world.begin();
    try {
      await fc.asyncModelRun(() => ({ model, real: this.#world }), steps);
      await judge(model, this.#world);
    } catch (error) {
      await this.#note(error);
    }
    if (this.#ruinedAt === undefined) this.#succeeded(model, performance.now() - begin);
  }

  #succeeded(model: Model, ms: number): void {
    const { seed, schedules } = this.#options;
    this.#done += 1;
    for (const fault of model.faults) this.#made.set(fault, (this.#made.get(fault) ?? 0) + 1);
    const what = `${model.steps} steps, ${model.faults.length} faults, ${(ms / 1_000).toFixed(1)} s`;
    console.log(`seed ${seed}, schedule ${this.#done} of ${schedules}: ${what}`);
  }

  /** Counts and writes down the first ruin; those found while it is made shorter are the same. */
  async #note(error: unknown): Promise<never> {
    const { message } = error as Error;
    const file = join(tmpdir(), `dockhost-schedule-${this.#options.seed}.log`);
    const account = await this.#world.account();
    const tail = account.split("\n").slice(-TAIL_LINES).join("\n");
    // What comes while it is made shorter may be another ruin: the first is the one to be understood.
    if (this.#ruinedAt === undefined) {
      await writeFile(file, account);
      if (error instanceof Ruin && error.loss) this.#losses[error.loss] += 1;
    }
    this.#ruinedAt ??= performance.now();
    console.log(`ruin: ${message}`);
    await this.#world.wipe();
    throw new Error(`${message}\nWhat the backends wrote is in ${file}; it ends with:\n${tail}`, { cause: error });
  }

  /** Into the table that the run prints at its end. */
  #enter(): void {
    const { seed } = this.#options;
    for (const [fault, runs] of this.#made) record({ fault, test: "random schedules", runs, seed });
    const fault = "several of these in a random order";
    record({ fault, test: "random schedules", runs: this.#done, seed, ...this.#losses });
  }
}
