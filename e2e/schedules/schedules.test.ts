import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { record } from "../faults/ledger.ts";
import type { Fault } from "../faults/ledger-faults.ts";
import { Model } from "./model.ts";
import { Ruin, type Loss } from "./ruin.ts";
import { anyStep } from "./steps.ts";
import { judge } from "./verdict.ts";
import { World } from "./world.ts";

const { DOCKHOST_SCHEDULES = "25", DOCKHOST_SCHEDULE_SEED, DOCKHOST_SCHEDULE_PATH } = process.env;
const SCHEDULES = Number(DOCKHOST_SCHEDULES);
const SEED = DOCKHOST_SCHEDULE_SEED === undefined ? Date.now() % 2 ** 31 : Number(DOCKHOST_SCHEDULE_SEED);

/** How long a history that ends in ruin may be made shorter, ms. */
const SHRINK_MS = 240_000;
/** A schedule on a busy machine, ms. */
const SCHEDULE_MS = 60_000;

const TAIL_LINES = 60;

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world[Symbol.asyncDispose]());

const made = new Map<Fault, number>();
const losses: Record<Loss, number> = { lost: 0, duplicated: 0, orphaned: 0, hung: 0 };
let done = 0;
let ruinedAt: number | undefined;

test(
  "no schedule of commands and faults loses, doubles or orphans a container, or leaves a command without a reply",
  async () => {
    console.log(`${SCHEDULES} schedules with seed ${SEED}`);
    const schedules = fc.commands(anyStep(), { maxCommands: 12, size: "max" });
    const outcome = await fc.check(
      fc.asyncProperty(schedules, (steps) => carryOut(steps)),
      {
        numRuns: SCHEDULES,
        seed: SEED,
        unbiased: true,
        ...(DOCKHOST_SCHEDULE_PATH !== undefined && { path: DOCKHOST_SCHEDULE_PATH }),
      },
    );
    for (const [fault, runs] of made) record({ fault, test: "random schedules", runs, seed: SEED });
    record({
      fault: "several of these in a random order",
      test: "random schedules",
      runs: done,
      seed: SEED,
      ...losses,
    });
    const report = await fc.asyncDefaultReportMessage(outcome);
    expect(outcome.failed, `${report ?? ""}\n\n${String(outcome.errorInstance)}`).toBe(false);
  },
  SCHEDULES * SCHEDULE_MS + SHRINK_MS,
);

async function carryOut(steps: Iterable<fc.AsyncCommand<Model, World>>): Promise<void> {
  fc.pre(ruinedAt === undefined || performance.now() - ruinedAt < SHRINK_MS);
  const begin = performance.now();
  const model = new Model();
  world.begin();
  try {
    await fc.asyncModelRun(() => ({ model, real: world }), steps);
    await judge(model, world);
  } catch (error) {
    await note(error);
  }
  if (ruinedAt === undefined) succeeded(model, performance.now() - begin);
}

function succeeded(model: Model, ms: number): void {
  done += 1;
  for (const fault of model.faults) made.set(fault, (made.get(fault) ?? 0) + 1);
  console.log(`schedule ${done}: ${model.steps} steps, ${model.faults.length} faults, ${(ms / 1_000).toFixed(1)} s`);
}

/** Counts and writes down the first ruin; those found while it is made shorter are the same. */
async function note(error: unknown): Promise<never> {
  const { message } = error as Error;
  const file = join(tmpdir(), `dockhost-schedule-${SEED}.log`);
  const account = await world.account();
  const tail = account.split("\n").slice(-TAIL_LINES).join("\n");
  // What comes while it is made shorter may be another ruin: the first is the one to be understood.
  if (ruinedAt === undefined) await writeFile(file, account);
  if (ruinedAt === undefined && error instanceof Ruin && error.loss) losses[error.loss] += 1;
  ruinedAt ??= performance.now();
  console.log(`ruin: ${message}`);
  await world.wipe();
  throw new Error(`${message}\nWhat the backends wrote is in ${file}; it ends with:\n${tail}`, { cause: error });
}
