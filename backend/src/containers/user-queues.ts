import PQueue from "p-queue";

interface UserQueue {
  queue: PQueue;
  jobs: number;
  commands: number;
}

/** One queue per user: one user's commands run one after another, different users' side by side. */
export class UserQueues {
  readonly #queues = new Map<string, UserQueue>();

  async run<T>(username: string, work: () => Promise<T>): Promise<T> {
    const entry = this.#entry(username);
    entry.jobs += 1;
    try {
      return await entry.queue.add(work);
    } finally {
      entry.jobs -= 1;
      if (entry.jobs === 0) this.#queues.delete(username);
    }
  }

  /** As `run`, for what the main server has asked for. */
  async runCommand<T>(username: string, command: () => Promise<T>): Promise<T> {
    const entry = this.#entry(username);
    entry.commands += 1;
    try {
      return await this.run(username, command);
    } finally {
      entry.commands -= 1;
    }
  }

  /** What happens to that user's container now is a command's doing. */
  commandUnderWay(username: string): boolean {
    return (this.#queues.get(username)?.commands ?? 0) > 0;
  }

  /** Something runs or waits. */
  get areBusy(): boolean {
    return this.#queues.size > 0;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map(({ queue }) => queue.onIdle()));
  }

  #entry(username: string): UserQueue {
    const entry = this.#queues.get(username) ?? { queue: new PQueue({ concurrency: 1 }), jobs: 0, commands: 0 };
    this.#queues.set(username, entry);
    return entry;
  }
}
