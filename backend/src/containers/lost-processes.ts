import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { processesOf } from "./container-processes.ts";
import { LABELS, ownership } from "./names.ts";
import type { SlotsUnderWay } from "./slots-under-way.ts";
import { isRunning } from "./views.ts";

/** Between a container's first process and the Engine's word that it runs a start takes less than this, ms. */
export const STARTS_WITHIN_MS = 3_000;

interface LostProcessesParts {
  engine: Engine;
  slotsUnderWay: SlotsUnderWay;
  backendId: string;
  /** Whether the Engine's processes are this machine's. */
  engineIsLocal: boolean;
  log: Log;
}

/**
 * A dockerd that is killed while it starts a container may know nothing of its processes afterwards (seen with 20.10).
 * It would remove that container and leave them running, at a network address that it gives to the next one; or, where
 * only containerd's shim is left, never start that container again ("file exists").
 */
export class LostProcesses {
  readonly #parts: LostProcessesParts;

  constructor(parts: LostProcessesParts) {
    this.#parts = parts;
  }

  /** Ends the processes of our containers that do not run by the Engine's word. */
  async end(): Promise<void> {
    if (!this.#parts.engineIsLocal) return;
    const before = await this.#find();
    if (before.size === 0) return;
    await delay(STARTS_WITHIN_MS);
    for (const [id, pids] of await this.#find()) {
      const ended = pids.filter((pid) => before.get(id)?.includes(pid)).filter(kill);
      if (ended.length === 0) continue;
      this.#parts.log.warn({ container: id, processes: ended.length }, "Ended what Docker had lost of a container");
    }
  }

  async #find(): Promise<Map<string, number[]>> {
    const { engine, slotsUnderWay, backendId } = this.#parts;
    const containers = await engine.list([LABELS.managed, `${LABELS.backend}=${backendId}`]);
    const atRest = containers.filter((summary) => {
      const whose = ownership(summary, backendId);
      return whose.kind !== "foreign" && !slotsUnderWay.has(whose.slot) && !isRunning(summary);
    });
    return processesOf(new Set(atRest.map(({ id }) => id)));
  }
}

/** Whether it was there, and this user's to end. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
