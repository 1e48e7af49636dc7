import PQueue from "p-queue";

/** No report waits this long for its turn. */
const ENDS_KEPT_MS = 10 * 60_000;

/** What is done to one instance is done one after another; and no report that is older overwrites its record. */
export class Operations {
  readonly #queues = new Map<string, PQueue>();
  /** When the last one of an instance ended; the newest stand last. */
  readonly #ends = new Map<string, number>();

  async run<Result>(instanceId: string, task: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(instanceId) ?? new PQueue({ concurrency: 1 });
    this.#queues.set(instanceId, queue);
    try {
      return await queue.add(task);
    } finally {
      this.#keepEnd(instanceId);
      if (queue.size + queue.pending === 0 && this.#queues.get(instanceId) === queue) this.#queues.delete(instanceId);
    }
  }

  /** Whether anything was under way at `moment` or later, by the monotonic clock: what was told then may be overtaken. */
  anySince(moment: number, instanceId: string): boolean {
    const end = this.#ends.get(instanceId);
    return this.#queues.has(instanceId) || (end !== undefined && end >= moment);
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.onIdle()));
  }

  #keepEnd(instanceId: string): void {
    const now = performance.now();
    this.#ends.delete(instanceId);
    this.#ends.set(instanceId, now);
    for (const [id, end] of this.#ends) {
      if (now - end < ENDS_KEPT_MS) break;
      this.#ends.delete(id);
    }
  }
}
