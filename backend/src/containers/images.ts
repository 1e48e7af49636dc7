import { EngineError, type Engine, type EngineImage } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { DockHostError } from "./errors.ts";

/** Built by the set-up on this machine and published nowhere, so never pulled. */
const OWN_IMAGE = "dockhost/instance:latest";
const PUBLISHED_IMAGE = "sohampirale/instance:latest";

const PULL_DEADLINE_MS = 15 * 60_000;
/** The Engine tells each layer's progress ten times a second; who waits hears of it this often, ms. */
const PROGRESS_EVERY_MS = 200;

export interface PresentImage extends EngineImage {
  reference: string;
}

export type PullListener = (current: number, total: number) => void;

/** Those who wait for one pull, and what they were told last. */
interface PullAudience {
  readonly listeners: Set<PullListener>;
  told: [current: number, total: number] | undefined;
}

/** The images that instances may be made from: the operator's default and the operator's allow-list. */
export class Images {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #default: string | undefined;
  readonly #allowed: Readonly<Record<string, string>>;
  readonly #abandoned = new AbortController();
  readonly #looks = new Map<string, Promise<EngineImage | undefined>>();
  readonly #pulls = new Map<string, { done: Promise<void>; audience: PullAudience }>();

  constructor(
    engine: Engine,
    log: Log,
    choice: { image: string | undefined; images: Readonly<Record<string, string>> },
  ) {
    this.#engine = engine;
    this.#log = log;
    this.#default = choice.image;
    this.#allowed = choice.images;
  }

  /** Throws INVALID_ARGUMENT where `name` is not on the allow-list. */
  check(name: string | undefined): void {
    if (name === undefined || Object.hasOwn(this.#allowed, name)) return;
    const names = Object.keys(this.#allowed);
    const offer = names.length === 0 ? "it offers none by name" : `it offers ${names.join(", ")}`;
    throw new DockHostError("INVALID_ARGUMENT", `This backend has no image named '${name}'; ${offer}.`);
  }

  /** The image `name` (undefined: the default), pulled where it is missing. Throws IMAGE_UNAVAILABLE. */
  async ensure(name: string | undefined, onPull: PullListener): Promise<PresentImage> {
    const present = await this.find(name);
    if (present) return present;
    const reference = this.#candidates(name).at(-1) ?? PUBLISHED_IMAGE;
    await this.#pull(reference, onPull);
    const pulled = await this.#engine.image(reference);
    if (!pulled) throw unavailable(reference, "it is gone again right after the pull");
    return { ...pulled, reference };
  }

  /** The image `name` (undefined: the default) where it needs no pull. */
  async find(name: string | undefined): Promise<PresentImage | undefined> {
    for (const reference of this.#candidates(name)) {
      const present = await this.#look(reference);
      if (present) return { ...present, reference };
    }
    return undefined;
  }

  /** Whoever waits for a pull waits no longer. */
  abandonPulls(): void {
    this.#abandoned.abort();
  }

  /** Creates that ask at once share one look. */
  #look(reference: string): Promise<EngineImage | undefined> {
    let look = this.#looks.get(reference);
    if (!look) {
      look = this.#engine.image(reference).finally(() => this.#looks.delete(reference));
      this.#looks.set(reference, look);
    }
    return look;
  }

  /** What `name` may mean, the best first; the last is what is pulled where none is there. */
  #candidates(name: string | undefined): readonly string[] {
    if (name !== undefined) return [this.#allowed[name] ?? name];
    return this.#default === undefined ? [OWN_IMAGE, PUBLISHED_IMAGE] : [this.#default];
  }

  /** Creates that want the same image share one pull. */
  async #pull(reference: string, onPull: PullListener): Promise<void> {
    if (reference === OWN_IMAGE) throw unavailable(reference, "build it with 'npm run setup'");
    let pull = this.#pulls.get(reference);
    if (!pull) {
      const audience = { listeners: new Set<PullListener>(), told: undefined };
      const done = this.#pullNow(reference, audience).finally(() => this.#pulls.delete(reference));
      pull = { done, audience };
      this.#pulls.set(reference, pull);
    }
    // Who joins late hears at once how far it is.
    if (pull.audience.told) onPull(...pull.audience.told);
    pull.audience.listeners.add(onPull);
    await pull.done;
  }

  async #pullNow(reference: string, audience: PullAudience): Promise<void> {
    this.#log.info({ image: reference }, "Pulling image");
    const signal = AbortSignal.any([AbortSignal.timeout(PULL_DEADLINE_MS), this.#abandoned.signal]);
    let toldAt = -PROGRESS_EVERY_MS;
    const onBytes: PullListener = (current, total) => {
      if (current < total && performance.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = performance.now();
      audience.told = [current, total];
      for (const listener of audience.listeners) listener(current, total);
    };
    try {
      await this.#engine.pull(reference, onBytes, signal);
    } catch (error) {
      if (signal.aborted) throw unavailable(reference, "its pull took too long and was given up", error);
      if (error instanceof EngineError && error.kind === "unreachable") throw error;
      throw unavailable(reference, error instanceof Error ? error.message.trim() : "the pull failed", error);
    }
    this.#log.info({ image: reference }, "Image pulled");
  }
}

const unavailable = (reference: string, why: string, cause?: unknown): DockHostError =>
  new DockHostError("IMAGE_UNAVAILABLE", `The image ${reference} is not to be had on this backend: ${why}.`, { cause });
