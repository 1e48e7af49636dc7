import { setImmediate as turn } from "node:timers/promises";
import PQueue from "p-queue";

/** So many inventories are worked off at a time: what one waits for, the store's disk, the others use. */
const INVENTORIES_AT_ONCE = 8;
/** With so many that still wait, nobody should come in who brings another. */
const MANY_INVENTORIES = 16;

type Work = () => Promise<void>;

/**
 * What backends report, worked off: of one connection one after another, in the order it was told; inventories, which
 * cost the most and come all at once after a restart, a few at a time over all connections.
 */
export class ReportQueues<Source> {
  readonly #inventories = new PQueue({ concurrency: INVENTORIES_AT_ONCE });
  /** The last work of each connection that has any. */
  readonly #last = new Map<Source, Promise<void>>();
  readonly #failed: (source: Source, error: unknown) => void;

  /** `failed` is told of work that rejects; the connection's next work is done all the same. */
  constructor(failed: (source: Source, error: unknown) => void) {
    this.#failed = failed;
  }

  get isBusy(): boolean {
    return this.#inventories.size >= MANY_INVENTORIES;
  }

  add(source: Source, work: Work): void {
    const before = this.#last.get(source) ?? Promise.resolve();
    const done = before.then(work).catch((error: unknown) => this.#failed(source, error));
    this.#last.set(source, done);
    void done.then(() => this.#last.get(source) === done && this.#last.delete(source));
  }

  addInventory(source: Source, work: Work): void {
    this.add(source, () => this.#inventories.add(() => afterATurn(work)));
  }

  /** Once everything that was told so far is worked off. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}

/** Otherwise one inventory would lead to the next before anything else has its turn. */
async function afterATurn(work: Work): Promise<void> {
  await turn();
  await work();
}
