import { setTimeout as delay } from "node:timers/promises";
import PQueue from "p-queue";

/** Work that takes longer than this waits rather than works, so its place is given to another, ms. */
const PLACE_KEPT_MS = 5_000;

/**
 * Beyond some at once the Engine makes no more containers a second; only each one takes longer. So they take turns, and
 * whoever comes first is ready first.
 */
export class EngineTurns {
  readonly #queue: PQueue;

  /** `places`: how many containers are made, started or removed at once. */
  constructor(places: number) {
    this.#queue = new PQueue({ concurrency: places });
  }

  /** Runs `work` when a place for it is free. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      void this.#queue.add(async () => {
        const working = work();
        working.then(resolve, reject);
        const settled = working.catch(() => undefined);
        await Promise.race([settled, delay(PLACE_KEPT_MS, undefined, { ref: false })]);
      });
    });
  }
}
