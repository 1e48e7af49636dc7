import type { ContainerDetail, Engine } from "../engine/engine.ts";
import { DockHostError } from "./errors.ts";
import { waitForSsh } from "./readiness.ts";

const PATIENCE_MS = 20_000;
const LOG_TAIL_LINES = 10;

/** Waits for a container's SSH server as its user would meet it: at the published port of the host. */
export class SshCheck {
  readonly #engine: Engine;
  readonly #host: string;

  /** `host` is where the Engine's published ports are reached from here. */
  constructor(engine: Engine, host: string) {
    this.#engine = engine;
    this.#host = host;
  }

  /** Answers the host key's fingerprint. Throws START_FAILED where the container dies, SSH_NOT_READY where it is silent. */
  async wait(containerId: string, port: number): Promise<string> {
    let restartsBefore: number | undefined;
    const stillRuns = async (): Promise<void> => {
      const now = await this.#engine.inspect(containerId);
      restartsBefore ??= now?.restartCount;
      // `running` is also what a container in a crash loop says between two crashes.
      if (now?.state !== "running" || now.restartCount !== restartsBefore) throw await this.#startFailed(now);
    };
    return waitForSsh({ host: this.#host, port }, stillRuns, PATIENCE_MS);
  }

  async #startFailed(now: ContainerDetail | undefined): Promise<DockHostError> {
    const lastWords = now ? await this.#lastWords(now.id) : "it is gone";
    const how = now?.oomKilled ? "ran out of memory" : `ended with exit code ${now?.exitCode ?? "unknown"}`;
    return new DockHostError(
      "START_FAILED",
      `The container ${how} before SSH answered; its last words: ${lastWords || "none"}`,
    );
  }

  /** The Engine has none to tell of a container that is being removed. */
  async #lastWords(id: string): Promise<string> {
    return (await this.#engine.logTail(id, LOG_TAIL_LINES).catch(() => "")).trim();
  }
}
