/** Waiting times between tries: doubling from `firstMs` to `lastMs`, each cut by up to half at random. */
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
    const full = Math.min(this.#lastMs, this.#firstMs * 2 ** this.#attempt);
    if (full < this.#lastMs) this.#attempt += 1;
    return Math.max(this.#firstMs, Math.round(full * (0.5 + Math.random() / 2)));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
