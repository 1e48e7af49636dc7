import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { EngineError, type ContainerEvent, type Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import type { Changes } from "./changes.ts";
import type { Gate } from "./gate.ts";
import type { KnownContainers } from "./known-containers.ts";
import { LABELS } from "./names.ts";
import type { Recovery } from "./recovery.ts";

const SWEEP_EVERY_MS = 30_000;
const RETRY_MS = { first: 200, last: 5_000 };

interface EngineWatchParts {
  engine: Engine;
  recovery: Recovery;
  changes: Changes;
  known: KnownContainers;
  gate: Gate;
  log: Log;
  /** Runs after each recovery, before commands are let in. */
  afterRecovery: () => Promise<void>;
  /** Shorter in tests. */
  retryMs?: { first: number; last: number } | undefined;
  sweepEveryMs?: number | undefined;
  /** Runs each time when commands are let in: what is told from here on is true. */
  afterOpening: () => void;
  /** Runs each time when the Engine is found to be gone, after commands are refused. */
  afterClosing: () => void;
}

/**
 * Follows the Engine for as long as the agent lives: subscribed first, recovered next, so that nothing falls between;
 * when the Engine goes, commands are refused until it is back and recovery has run again.
 */
export class EngineWatch implements AsyncDisposable {
  readonly #parts: EngineWatchParts;
  readonly #stop = new AbortController();
  readonly #work: Promise<unknown>;
  /** Of the subscription that holds now. */
  #subscription = new AbortController();

  constructor(parts: EngineWatchParts) {
    this.#parts = parts;
    this.#work = Promise.all([this.#follow(), this.#sweepRegularly()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #follow(): Promise<void> {
    const { retryMs = RETRY_MS } = this.#parts;
    let waitMs = retryMs.first;
    while (!this.#isStopped()) {
      try {
        await this.#followOnce();
        waitMs = retryMs.first;
      } catch (error) {
        if (this.#isStopped()) return;
        this.#close(error);
      }
      await this.#pause(waitMs);
      waitMs = Math.min(waitMs * 2, retryMs.last);
    }
  }

  async #followOnce(): Promise<void> {
    const { gate, log } = this.#parts;
    const subscription = new AbortController();
    this.#subscription = subscription;
    try {
      await this.#followUnder(subscription);
    } finally {
      subscription.abort();
    }
    if (this.#isStopped() || gate.isClosed) return;
    gate.set("recovering");
    log.warn({}, "Docker's event stream broke; listing everything anew");
  }

  /** Resolves when the stream has ended; what is in doubt by its events then is left to recovery. */
  async #followUnder(subscription: AbortController): Promise<void> {
    const { engine, recovery, changes, known, gate, afterRecovery, afterOpening } = this.#parts;
    const signal = AbortSignal.any([this.#stop.signal, subscription.signal]);
    // Every change in doubt listens to it; there is no bound to how many containers stop together.
    setMaxListeners(0, signal);
    const note = (event: ContainerEvent): void => {
      known.heed(event);
      changes.note(event, signal);
    };
    const { ended } = await engine.events(LABELS.managed, note, signal);
    // However it ends, what it did not tell is listed anew.
    const over = ended.catch(() => undefined).then(() => subscription.abort());
    gate.set("recovering");
    await recovery.recover();
    await afterRecovery();
    gate.set("open");
    afterOpening();
    await over;
  }

  async #sweepRegularly(): Promise<void> {
    const { gate, recovery, sweepEveryMs = SWEEP_EVERY_MS } = this.#parts;
    while (!this.#isStopped()) {
      await this.#pause(sweepEveryMs);
      if (this.#isStopped() || !gate.isOpen) continue;
      try {
        await recovery.sweep();
      } catch (error) {
        // An Engine that hangs ends no stream by itself: begun anew, so that nothing that it tells then is missed.
        this.#close(error);
        this.#subscription.abort();
      }
    }
  }

  /** What is not known to be true is not answered. */
  #close(error: unknown): void {
    const { gate, log, afterClosing } = this.#parts;
    if (gate.isClosed) return;
    gate.set("closed");
    log.error({ error }, `${complaint(error)}. Trying again`);
    afterClosing();
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

const complaint = (error: unknown): string =>
  error instanceof EngineError && error.kind === "timed-out"
    ? "Docker does not answer"
    : "Docker is not reachable; start it (systemctl start docker)";
