import { describe, expect, test } from "vitest";
import { rounds } from "../support/rounds.ts";
import { Lane, SHRINK_MS, type LaneOptions } from "./lane.ts";

const { DOCKHOST_SCHEDULES, DOCKHOST_SCHEDULE_SEED, DOCKHOST_SCHEDULE_PATH: path } = process.env;
const SCHEDULES = Number(DOCKHOST_SCHEDULES ?? "12");
/** However many are asked for are carried out; without being asked a slow machine does as many as it has time for, ms. */
const WITHIN_MS = DOCKHOST_SCHEDULES === undefined ? 30_000 : Infinity;
const SEED = DOCKHOST_SCHEDULE_SEED === undefined ? Date.now() % 2 ** 31 : Number(DOCKHOST_SCHEDULE_SEED);

/** A schedule mostly waits: three of them side by side, each on a machine of its own, keep two processors busy. */
const LANES = path === undefined ? rounds(2, 3) : 1;
/** A schedule on a busy machine, ms. */
const SCHEDULE_MS = 60_000;

/** A seed of its own for each, far from those that another run may have by the clock. */
const lanes: LaneOptions[] = Array.from({ length: LANES }, (_, index) => ({
  seed: (SEED + index * 1_000_003) % 2 ** 31,
  schedules: Math.ceil((SCHEDULES - index) / LANES),
  withinMs: WITHIN_MS,
  path,
}));

describe.concurrent("no schedule of commands and faults", () => {
  test.each(lanes.filter(({ schedules }) => schedules > 0))(
    "loses, doubles or orphans a container, or leaves a command without a reply (seed $seed)",
    async (options) => {
      await using lane = await Lane.open(options);
      expect(await lane.run()).toBeUndefined();
    },
    SCHEDULES * SCHEDULE_MS + SHRINK_MS,
  );
});
