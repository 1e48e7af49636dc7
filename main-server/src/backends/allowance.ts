import type { ReportName } from "@dockhost/protocol";

/** So many at once, and then so many a second. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** An inventory comes once for each connection, and costs the most. */
const INVENTORIES: Rate = { burst: 30, perSecond: 0.5 };
/** Far above what an Engine that restarts with all its containers makes a backend say. */
const EVERYTHING: Rate = { burst: 2_000, perSecond: 100 };

/** What one backend may tell unasked, over all its connections: beyond it, it would keep the others from being heard. */
export class Allowance {
  readonly #inventories = new Bucket(INVENTORIES);
  readonly #everything = new Bucket(EVERYTHING);

  /** Whether one more is allowed; `event` may be anything. */
  take(event: unknown): boolean {
    const isInventory = event === ("inventory" satisfies ReportName);
    return this.#everything.take() && (!isInventory || this.#inventories.take());
  }
}

class Bucket {
  readonly #rate: Rate;
  #left: number;
  #at = performance.now();

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#left = rate.burst;
  }

  take(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1000) * this.#rate.perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
