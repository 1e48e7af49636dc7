import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { TestBed } from "../bed.ts";
import { interleave, timed } from "../interleave.ts";
import { measurement, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import type { Round } from "../statistics.ts";

/** Each takes the five seconds after which a backend counts as idle. */
const MAX_ROUNDS = 10;
const IDLE_AFTER_MS = 5_000;
const WARM_UP_ROUNDS = 1;

/** From the spawn of the backend to its authenticated connection, and the memory that it then holds. */
export async function measureStartup(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  const memory: Round[] = [];
  const backend = async (): Promise<Round> => {
    await using process = await bed.startBackend();
    await delay(IDLE_AFTER_MS);
    memory.push([await residentMiB(process.pid)]);
    return [process.startedInMs];
  };
  const ways = [
    { name: "DockHost's backend", round: backend },
    { name: "node -e 0", round: async () => [await timed(startNode)] },
  ];
  const title = "Start of the backend until it is connected";
  const rounds = Math.min(bed.options.samples, MAX_ROUNDS);
  const pace = { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title, rounds) };
  const results = await interleave(ways, pace);
  const resident = [{ name: "DockHost's backend", rounds: memory.slice(WARM_UP_ROUNDS) }];
  return [measurement(title, "ms", results), measurement("Resident memory of the idle backend", "MiB", resident)];
}

async function startNode(): Promise<void> {
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
}

/** https://docs.kernel.org/filesystems/proc.html: VmRSS, in kB. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`The kernel tells no memory of process ${pid}.`);
  return Number(kilobytes) / 1024;
}
