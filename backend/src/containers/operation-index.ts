/** How long a repeat of a success executes nothing, ms. */
export const KEPT_MS = 24 * 60 * 60 * 1000;
/** What was recorded within this is forgotten together, ms: so nothing is kept much longer than that. */
const TOGETHER_MS = 15 * 60 * 1000;

interface Batch {
  firstExpiresAt: number;
  expiresAt: number;
  offsets: Map<string, number>;
}

/**
 * Where in `operations.log` the line of each living success begins, in bytes. A day may bring very many, so nothing is
 * here of one but its id and that number; how long it is kept is told once for all that were recorded together.
 */
export class OperationIndex {
  /** The oldest first. */
  readonly #batches: Batch[] = [];

  /** `keptMs`: how much of its time a success has left. */
  add(operationId: string, offset: number, keptMs: number): void {
    this.#forgetExpired();
    const expiresAt = performance.now() + keptMs;
    const last = this.#batches.at(-1);
    if (last && expiresAt < last.firstExpiresAt + TOGETHER_MS) {
      last.offsets.set(operationId, offset);
      last.expiresAt = Math.max(last.expiresAt, expiresAt);
    } else {
      this.#batches.push({ firstExpiresAt: expiresAt, expiresAt, offsets: new Map([[operationId, offset]]) });
    }
  }

  offsetOf(operationId: string): number | undefined {
    this.#forgetExpired();
    return this.#batches.findLast(({ offsets }) => offsets.has(operationId))?.offsets.get(operationId);
  }

  get size(): number {
    return this.#batches.reduce((size, { offsets }) => size + offsets.size, 0);
  }

  /** In the order of their recording. */
  get offsets(): number[] {
    return this.#batches.flatMap(({ offsets }) => [...offsets.values()]);
  }

  /** The lines have moved: `moved` tells the new place of each by its old one. */
  move(moved: ReadonlyMap<number, number>): void {
    for (const { offsets } of this.#batches) {
      for (const [operationId, offset] of offsets) offsets.set(operationId, moved.get(offset) ?? offset);
    }
  }

  #forgetExpired(): void {
    const now = performance.now();
    while (this.#batches[0] && this.#batches[0].expiresAt <= now) this.#batches.shift();
  }
}
