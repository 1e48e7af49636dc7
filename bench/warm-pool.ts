import { setTimeout as delay } from "node:timers/promises";
import type { BackendProcess } from "./backend-process.ts";
import type { TestBed } from "./bed.ts";

const LOOK_MS = 25;
const FIRST_STATUS_PATIENCE_MS = 15_000;
/** A slot takes a third of a second to make, and longer on a machine that has other work too. */
const patienceMs = (slots: number): number => 60_000 + slots * 3_000;
/** Between two looks at the slots: making one, or moving it to a lower triple, is seen in one of them. */
const STANDS_STILL_MS = 300;

export const NO_POOL =
  "Left out: this backend keeps no warm pool, as its status tells of none (`usage.warmSlots`, `DOCKHOST_WARM_POOL`).";

/** Whether the backend tells of slots that stand ready. */
export async function hasWarmPool(backend: BackendProcess): Promise<boolean> {
  const end = performance.now() + FIRST_STATUS_PATIENCE_MS;
  while (!backend.statuses.latest && performance.now() < end) await delay(LOOK_MS);
  return backend.statuses.latest?.warmSlots !== undefined;
}

/**
 * Waits until at least so many `slots` stand ready and the backend is idle: it has told so since its last reply, and
 * the Engine has just those slots for a while. So nothing of filling the pool up again falls into anybody's time.
 */
export async function poolIsFull(bed: TestBed, backend: BackendProcess, slots: number): Promise<void> {
  const end = performance.now() + patienceMs(slots);
  while (!(await standsStill(bed, backend, slots))) {
    bed.signal.throwIfAborted();
    if (performance.now() > end) {
      const { warmSlots = "no" } = backend.statuses.latest ?? {};
      throw new Error(`The warm pool has ${warmSlots} slots in place of ${slots}; see the backend's log.`);
    }
    await delay(LOOK_MS);
  }
}

async function standsStill(bed: TestBed, backend: BackendProcess, slots: number): Promise<boolean> {
  const { latest } = backend.statuses;
  if (!latest || latest.at <= backend.lastReplyAt || (latest.warmSlots ?? 0) < slots) return false;
  const before = await bed.unclaimedSlots();
  if (before.length !== latest.warmSlots) return false;
  await delay(STANDS_STILL_MS);
  return before.join() === (await bed.unclaimedSlots()).join();
}
