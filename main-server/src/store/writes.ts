import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Compilable, CompiledQuery } from "kysely";
import { isFullDisk, StoreFullError } from "./store-error.ts";

/** What became of a write in the thread. */
type Outcome = { changes: number } | { problem: { message: string } };

interface Waiting {
  query: CompiledQuery;
  resolve: (changes: number) => void;
  reject: (reason: Error) => void;
}

const BUSY_MS = 5_000;

/**
 * The writes of an open store. What a write costs is its sync of the disk: so it is made in a thread, which keeps nobody
 * else waiting, and writes that come while one is under way are made durable together, by one transaction. Nobody is
 * told of a write, and nobody reads it, before it is on the disk. Where the thread fails, so does the process.
 */
export class Writes implements AsyncDisposable {
  readonly #thread: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #guests: (() => Promise<void>)[] = [];
  #underWay: Promise<void> | undefined;

  /** `file` is a database that is there, with every migration applied. */
  constructor(file: string) {
    const workerData = { file, busyMs: BUSY_MS };
    this.#thread = new Worker(new URL("writer-thread.mjs", import.meta.url), { workerData });
  }

  /**
   * Resolves once `query` is on the disk, with the number of rows that it changed; throws StoreFullError, and what
   * SQLite says. In the order in which they were asked for.
   */
  run(query: Compilable): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ query: query.compile(), resolve, reject });
      this.#underWay ??= this.#work();
    });
  }

  /** Runs `work` while nothing is being written: as soon as what is under way has ended. */
  without<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#guests.push(() => work().then(resolve, reject));
      this.#underWay ??= this.#work();
    });
  }

  /** Once every write that was asked for has come to its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#underWay) await this.#underWay;
    const ended = once(this.#thread, "exit");
    this.#thread.postMessage("close");
    await ended;
  }

  /** What comes in one turn of the loop goes together. */
  async #work(): Promise<void> {
    while (this.#waiting.length + this.#guests.length > 0) {
      await turn();
      if (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0));
      await this.#guests.shift()?.();
    }
    this.#underWay = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const answered = once(this.#thread, "message") as Promise<[Outcome[]]>;
    this.#thread.postMessage(group.map(({ query: { sql, parameters } }) => ({ sql, parameters })));
    const [outcomes] = await answered;
    for (const [index, waiting] of group.entries()) settle(waiting, outcomes[index]);
  }
}

function settle({ resolve, reject }: Waiting, outcome: Outcome | undefined): void {
  if (outcome && "changes" in outcome) {
    resolve(outcome.changes);
    return;
  }
  const error = Object.assign(new Error(), outcome?.problem);
  reject(isFullDisk(error) ? new StoreFullError(error) : error);
}
