/** Waiting times between tries: about doubling from `firstMs` to `lastMs`, each drawn at random from its upper half. */
export class Backoff {
  readonly #firstMs: number;
  readonly #lastMs: number;
  #attempt = 0;

  constructor(firstMs: number, lastMs: number) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
  }

  /** How long to wait before the next try, ms; many backends that lost one server do not return in one instant. */
  next(): number {
    const longest = Math.min(this.#lastMs, this.#firstMs * 2 ** (this.#attempt + 1));
    if (longest < this.#lastMs) this.#attempt += 1;
    return Math.round((longest / 2) * (1 + Math.random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
