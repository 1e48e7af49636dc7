import PQueue from "p-queue";

/** What is done to one instance is done one after another; and while it is, no report overwrites its record. */
export class Operations {
  readonly #queues = new Map<string, PQueue>();

  async run<Result>(instanceId: string, task: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(instanceId) ?? new PQueue({ concurrency: 1 });
    this.#queues.set(instanceId, queue);
    try {
      return await queue.add(task);
    } finally {
      if (queue.size + queue.pending === 0 && this.#queues.get(instanceId) === queue) this.#queues.delete(instanceId);
    }
  }

  isBusy(instanceId: string): boolean {
    return this.#queues.has(instanceId);
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.onIdle()));
  }
}
