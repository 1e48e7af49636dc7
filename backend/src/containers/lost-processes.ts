import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { LABELS, ownership } from "./names.ts";
import type { Slots } from "./slots.ts";
import { isRunning } from "./views.ts";

/** Between a container's first process and the Engine's word that it runs a start takes less than this, ms. */
const STARTS_WITHIN_MS = 3_000;

/** The kernel names a container's control group after its id, whatever stands before it. */
const IN_CONTROL_GROUP = /[0-9a-f]{64}/;
/** What containerd keeps beside a container, `containerd-shim… -id <id>`; it stands in another group. */
const SHIM = /^[^\0]*containerd-shim[^\0]*\0(?:.*\0)?-id\0([0-9a-f]{64})\0/s;

interface LostProcessesParts {
  engine: Engine;
  slots: Slots;
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
    const { engine, slots, backendId } = this.#parts;
    const containers = await engine.list([LABELS.managed, `${LABELS.backend}=${backendId}`]);
    const atRest = containers.filter((summary) => {
      const whose = ownership(summary, backendId);
      return whose.kind !== "foreign" && !slots.isUnderWay(whose.slot) && !isRunning(summary);
    });
    return processesOf(new Set(atRest.map(({ id }) => id)));
  }
}

/** This machine's processes in the containers `ids` and their shims, by container; none where the kernel does not tell. */
async function processesOf(ids: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  if (ids.size === 0) return found;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const id = await containerOf(pid);
    if (id !== undefined && ids.has(id)) found.set(id, [...(found.get(id) ?? []), Number(pid)]);
  }
  return found;
}

async function containerOf(pid: string): Promise<string | undefined> {
  const [group, commandLine] = await Promise.all(
    ["cgroup", "cmdline"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
  );
  return IN_CONTROL_GROUP.exec(group ?? "")?.[0] ?? SHIM.exec(commandLine ?? "")?.[1];
}

/** Whether it was there, and this user's to end. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
