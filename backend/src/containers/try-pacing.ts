/** Between two tries while a server is not up yet, ms. Who waits at once shares them: each try costs what starts are short of. */
const RETRY_MS = 4;
/** A server is left in peace no longer than this before it is tried again, however slow the one before it was, ms. */
const PEACE_MAX_MS = 100;

/** One server that is waited for. */
export interface Pace extends Disposable {
  /** How long to wait until the next try, ms. */
  pauseMs(): number;
  /** It has answered. */
  answered(): void;
}

/**
 * How often servers that start are tried. The first try is at once, as a server that was made ahead answers it; one
 * that does not is left in peace for half of what the last one took from there, and is then tried often.
 */
export class TryPacing {
  readonly #now: () => number;
  #waiting = 0;
  #lastTookMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  begin(): Pace {
    const begin = this.#now();
    let tries = 0;
    this.#waiting += 1;
    return {
      pauseMs: () => {
        tries += 1;
        const often = RETRY_MS * this.#waiting;
        return tries === 1 ? Math.max(often, Math.min(this.#lastTookMs / 2, PEACE_MAX_MS)) : often;
      },
      answered: () => {
        if (tries > 0) this.#lastTookMs = this.#now() - begin;
      },
      [Symbol.dispose]: () => {
        this.#waiting -= 1;
      },
    };
  }
}
