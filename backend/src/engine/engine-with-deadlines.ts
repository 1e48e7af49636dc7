import { setTimeout as delay } from "node:timers/promises";
import {
  EngineError,
  type ContainerDetail,
  type ContainerEvent,
  type ContainerLimits,
  type ContainerSpec,
  type ContainerSummary,
  type Engine,
  type EngineImage,
  type EngineInfo,
} from "./engine.ts";

export interface EngineDeadlines {
  /** Of calls that only look. */
  readMs: number;
  /** Of calls that change something; a stop has its grace on top. */
  changeMs: number;
  /** A late call that never ends, as one over a half-open connection, is waited for no longer after this time. */
  forgetMs: number;
}

/** Well above what a busy Engine was seen to need, and below the commands' own. */
const DEADLINES: EngineDeadlines = { readMs: 10_000, changeMs: 30_000, forgetMs: 60_000 };

/** A disk writes some 100 GiB in it, ms. */
const COMMIT_MS = 15 * 60_000;

/**
 * An Engine none of whose calls lasts for ever. A call past its deadline rejects with `timed-out` and is left open, since
 * the Engine may carry it out all the same (seen: a stop cut off while dockerd was frozen ran after it thawed). The next
 * change of that container waits for it, so that a late call never undoes what came after it.
 */
export class EngineWithDeadlines implements Engine {
  readonly #engine: Engine;
  readonly #deadlines: EngineDeadlines;
  /** By the container's id or name, as it was given. */
  readonly #late = new Map<string, Promise<unknown>>();
  #onChange: (container: string) => void = () => undefined;

  constructor(engine: Engine, deadlines: EngineDeadlines = DEADLINES) {
    this.#engine = engine;
    this.#deadlines = deadlines;
  }

  /** `listener` hears the id or name of each container that was changed, or may have been, before the change's caller does. */
  onChange(listener: (container: string) => void): void {
    this.#onChange = listener;
  }

  info(): Promise<EngineInfo> {
    return this.#read("info", this.#engine.info());
  }

  list(labels: readonly string[]): Promise<ContainerSummary[]> {
    return this.#read("list", this.#engine.list(labels));
  }

  inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    return this.#read("inspect", this.#engine.inspect(idOrName));
  }

  logTail(id: string, lines: number): Promise<string> {
    return this.#read("logs", this.#engine.logTail(id, lines));
  }

  image(reference: string): Promise<EngineImage | undefined> {
    return this.#read("image", this.#engine.image(reference));
  }

  create(name: string, spec: ContainerSpec): Promise<string> {
    return this.#change("create", name, () => this.#engine.create(name, spec));
  }

  start(id: string): Promise<void> {
    return this.#change("start", id, () => this.#engine.start(id));
  }

  stop(id: string, graceSeconds: number): Promise<void> {
    return this.#change("stop", id, () => this.#engine.stop(id, graceSeconds), graceSeconds * 1000);
  }

  remove(id: string): Promise<void> {
    return this.#change("remove", id, () => this.#engine.remove(id));
  }

  rename(id: string, name: string): Promise<void> {
    return this.#change("rename", id, () => this.#engine.rename(id, name));
  }

  update(id: string, limits: ContainerLimits): Promise<void> {
    return this.#change("update", id, () => this.#engine.update(id, limits));
  }

  /** As long as its files take. */
  commit(id: string, reference: string): Promise<void> {
    return this.#change("commit", id, () => this.#engine.commit(id, reference), COMMIT_MS);
  }

  imageNames(label: string): Promise<string[]> {
    return this.#read("images", this.#engine.imageNames(label));
  }

  removeImage(reference: string): Promise<void> {
    return this.#change("remove image", reference, () => this.#engine.removeImage(reference));
  }

  ensureIsolatedBridge(name: string): Promise<void> {
    return within(this.#engine.ensureIsolatedBridge(name), this.#deadlines.changeMs, "network");
  }

  bridgeInterface(name: string): Promise<string> {
    return this.#read("networks", this.#engine.bridgeInterface(name));
  }

  /** As long as it takes: whoever asks for it sets the deadline by `signal`. */
  pull(reference: string, onBytes: (current: number, total: number) => void, signal: AbortSignal): Promise<void> {
    return this.#engine.pull(reference, onBytes, signal);
  }

  /** Only the subscription has a deadline; one that came late would tell everything twice, so it is cut off. */
  async events(
    label: string,
    onEvent: (event: ContainerEvent) => void,
    signal: AbortSignal,
  ): Promise<{ ended: Promise<void> }> {
    const tooLate = new AbortController();
    try {
      return await this.#read("events", this.#engine.events(label, onEvent, AbortSignal.any([signal, tooLate.signal])));
    } catch (error) {
      tooLate.abort();
      throw error;
    }
  }

  #read<T>(call: string, reading: Promise<T>): Promise<T> {
    return within(reading, this.#deadlines.readMs, call);
  }

  async #change<T>(call: string, container: string, change: () => Promise<T>, graceMs = 0): Promise<T> {
    const earlier = this.#late.get(container);
    if (earlier) await within(earlier, this.#deadlines.changeMs, call);
    const changing = change().finally(() => this.#onChange(container));
    try {
      return await within(changing, this.#deadlines.changeMs + graceMs, call);
    } catch (error) {
      if (error instanceof EngineError && error.kind === "timed-out") this.#remember(container, changing);
      throw error;
    }
  }

  #remember(container: string, changing: Promise<unknown>): void {
    const forgotten = delay(this.#deadlines.forgetMs, undefined, { ref: false });
    const over = Promise.race([changing.catch(() => undefined), forgotten]);
    this.#late.set(container, over);
    void over.then(() => {
      if (this.#late.get(container) === over) this.#late.delete(container);
    });
  }
}

/** What is left open may fail when nobody listens any more. */
function within<T>(work: Promise<T>, ms: number, call: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => {
      reject(new EngineError("timed-out", `no answer to '${call}' within ${ms / 1000} s`));
    }, ms);
    const end = (): void => clearTimeout(tooLate);
    void work.then(resolve, reject).finally(end);
  });
}
