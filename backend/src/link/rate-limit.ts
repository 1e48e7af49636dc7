export interface Rate {
  /** Commands that one connection may send at once. */
  burst: number;
  /** Commands that it may send from then on. */
  perSecond: number;
}

/** The contract's. */
const RATE: Rate = { burst: 200, perSecond: 50 };

/** How many commands one connection may still send: a burst, filled up again at a steady rate. */
export class RateLimit {
  readonly #rate: Rate;
  #left: number;
  #countedAt = performance.now();

  constructor(rate: Rate = RATE) {
    this.#rate = rate;
    this.#left = rate.burst;
  }

  /** Whether one more command is within the rate. */
  take(): boolean {
    const now = performance.now();
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#countedAt) / 1000) * perSecond);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
