import { setTimeout as delay } from "node:timers/promises";
import type { BackendProcess } from "./backend-process.ts";

const LOOK_MS = 25;
const FIRST_STATUS_PATIENCE_MS = 15_000;
/** A slot takes a third of a second, a heartbeat may be ten seconds away. */
const patienceMs = (slots: number): number => 30_000 + slots * 2_000;
/** What the Engine still does after its last reply. */
const REST_MS = 150;

export const NO_POOL =
  "Left out: this backend keeps no warm pool, as its status tells of none (`usage.warmSlots`, `DOCKHOST_WARM_POOL`).";

/** Whether the backend tells of slots that stand ready. */
export async function hasWarmPool(backend: BackendProcess): Promise<boolean> {
  const end = performance.now() + FIRST_STATUS_PATIENCE_MS;
  while (!backend.statuses.latest && performance.now() < end) await delay(LOOK_MS);
  return backend.statuses.latest?.warmSlots !== undefined;
}

/**
 * Waits until as many `slots` stand ready and the backend is idle: it has told so since its last reply, so that
 * filling the pool up again falls into nobody's time.
 */
export async function poolIsFull(backend: BackendProcess, slots: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + patienceMs(slots);
  for (;;) {
    signal.throwIfAborted();
    const { latest } = backend.statuses;
    if (latest && latest.at > backend.lastReplyAt && latest.warmSlots === slots) break;
    if (performance.now() > end) {
      throw new Error(
        `The warm pool has ${latest?.warmSlots ?? "no"} slots in place of ${slots}; see the backend's log.`,
      );
    }
    await delay(LOOK_MS);
  }
  await delay(REST_MS);
}
