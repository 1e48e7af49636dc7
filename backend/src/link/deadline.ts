import { DockHostError } from "../containers/errors.ts";

/**
 * The time that a command may take. What is still running then is left to end by itself, since the Engine may do it
 * all the same: its user's next command waits for it.
 */
export class Deadline implements Disposable {
  readonly expired: Promise<never>;
  readonly #budgetMs: number;
  #expire: (error: DockHostError) => void = () => undefined;
  #leftMs: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
    this.#leftMs = budgetMs;
    this.expired = new Promise((_, reject) => (this.#expire = reject));
    // Expiry matters only to whoever races with it.
    this.expired.catch(() => undefined);
    this.#start();
  }

  /** Stops the clock while `work`, which has a deadline of its own, is under way. */
  async suspendDuring<T>(work: Promise<T>): Promise<T> {
    this.#pause();
    try {
      return await work;
    } finally {
      this.#start();
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#leftMs = Infinity;
  }

  #start(): void {
    if (this.#leftMs === Infinity) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#expire(exceeded(this.#budgetMs));
    }, this.#leftMs);
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAt;
  }
}

const exceeded = (budgetMs: number): DockHostError =>
  new DockHostError(
    "DEADLINE_EXCEEDED",
    `The command took longer than ${budgetMs / 1000} s and may still take effect; send it again with the same operationId.`,
  );
