import { setTimeout as delay } from "node:timers/promises";
import type { ContainerDetail, Engine } from "../engine/engine.ts";
import { DockHostError } from "./errors.ts";
import type { ShownHostKey } from "./host-key.ts";
import { waitForSsh } from "./readiness.ts";
import { TryPacing } from "./try-pacing.ts";

const PATIENCE_MS = 20_000;
const LOG_TAIL_LINES = 10;
/** How often, and ms apart, a crash loop is looked at to catch its exit code. */
const END_LOOKS = 20;
const END_LOOK_MS = 50;

/** Waits for a container's SSH server as its user would meet it: at the published port of the host. */
export class SshCheck {
  readonly #engine: Engine;
  readonly #host: string;
  readonly #pacing = new TryPacing();

  /** `host` is where the Engine's published ports are reached from here. */
  constructor(engine: Engine, host: string) {
    this.#engine = engine;
    this.#host = host;
  }

  /** Answers the host key. Throws START_FAILED where the container dies, SSH_NOT_READY where it is silent. */
  async wait(containerId: string, port: number): Promise<ShownHostKey> {
    let restartsBefore: number | undefined;
    const stillRuns = async (): Promise<void> => {
      const now = await this.#engine.inspect(containerId);
      restartsBefore ??= now?.restartCount;
      // `running` is also what a container in a crash loop says between two crashes.
      if (now?.state !== "running" || now.restartCount !== restartsBefore) throw await this.#startFailed(now);
    };
    using pace = this.#pacing.begin();
    const shown = await waitForSsh({ host: this.#host, port }, stillRuns, PATIENCE_MS, () => pace.pauseMs());
    pace.answered();
    return shown;
  }

  async #startFailed(now: ContainerDetail | undefined): Promise<DockHostError> {
    const ended = now && (await this.#afterItsEnd(now));
    const lastWords = ended ? await this.#lastWords(ended.id) : "it is gone";
    return new DockHostError(
      "START_FAILED",
      `The container ${howItEnded(ended)} before SSH answered; its last words: ${lastWords || "none"}`,
    );
  }

  /** One in a crash loop may run at this moment, and has an exit code again only when it has ended again. */
  async #afterItsEnd(now: ContainerDetail): Promise<ContainerDetail> {
    let latest = now;
    for (let look = 0; latest.state === "running" && look < END_LOOKS; look += 1) {
      await delay(END_LOOK_MS);
      latest = (await this.#engine.inspect(now.id)) ?? now;
    }
    return latest;
  }

  /** The Engine has none to tell of a container that is being removed. */
  async #lastWords(id: string): Promise<string> {
    return (await this.#engine.logTail(id, LOG_TAIL_LINES).catch(() => "")).trim();
  }
}

function howItEnded(ended: ContainerDetail | undefined): string {
  if (!ended) return "was removed";
  if (ended.oomKilled) return "ran out of memory";
  return ended.state === "running" ? "ended and was started again" : `ended with exit code ${ended.exitCode}`;
}
