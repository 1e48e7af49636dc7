import type { Engine } from "../engine/engine.ts";
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
    const stillRuns = () => this.#stillRuns(containerId);
    return waitForSsh({ host: this.#host, port }, stillRuns, PATIENCE_MS);
  }

  /** `running` is also what a container in a crash loop says between two crashes. */
  async #stillRuns(containerId: string): Promise<void> {
    const now = await this.#engine.inspect(containerId);
    if (now?.state === "running" && now.restartCount === 0) return;
    const tail = now ? (await this.#engine.logTail(containerId, LOG_TAIL_LINES)).trim() : "it is gone";
    const how = now?.oomKilled ? "ran out of memory" : `ended with exit code ${now?.exitCode ?? "unknown"}`;
    throw new DockHostError(
      "START_FAILED",
      `The container ${how} before SSH answered; its last words: ${tail || "none"}`,
    );
  }
}
