import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { TestBed } from "../bed.ts";
import { interleave, timed } from "../interleave.ts";
import { figures, measurement, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { residentMiB } from "../resident-memory.ts";
import type { Round } from "../statistics.ts";
import { BACKEND, TITLES } from "../titles.ts";

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
    { name: BACKEND, round: backend },
    { name: "node -e 0", round: async () => [await timed(startNode)] },
  ];
  const title = TITLES.start;
  const rounds = Math.min(bed.options.samples, MAX_ROUNDS);
  const pace = { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title) };
  const results = await interleave(ways, pace);
  const resident = [{ name: BACKEND, rounds: memory.slice(WARM_UP_ROUNDS) }];
  return [measurement(title, "ms", results), figures(TITLES.idleMemory, "MiB", resident)];
}

async function startNode(): Promise<void> {
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
}
