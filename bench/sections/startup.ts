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

const MAX_ROUNDS = 10;
const WARM_UP_ROUNDS = 1;
const IDLE_ROUNDS = 3;
/** By then V8 has given back what starting took: seen to happen some ten seconds after it, and never to go up again. */
const IDLE_AFTER_MS = 20_000;

/** From the spawn of the backend to its authenticated connection, and the memory that it holds when it has nothing to do. */
export async function measureStartup(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  return [await measureStart(bed, progress), await measureIdleMemory(bed, progress)];
}

async function measureStart(bed: TestBed, progress: Progress): Promise<Measurement> {
  const backend = async (): Promise<Round> => {
    await using process = await bed.startBackend();
    return [process.startedInMs];
  };
  const ways = [
    { name: BACKEND, round: backend },
    { name: "node -e 0", round: async () => [await timed(startNode)] },
  ];
  const title = TITLES.start;
  const rounds = Math.min(bed.options.samples, MAX_ROUNDS);
  const pace = { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title) };
  return measurement(title, "ms", await interleave(ways, pace));
}

async function measureIdleMemory(bed: TestBed, progress: Progress): Promise<Measurement> {
  const title = TITLES.idleMemory;
  const idle = async (): Promise<Round> => {
    await using process = await bed.startBackend();
    await delay(IDLE_AFTER_MS);
    return [await residentMiB(process.pid)];
  };
  const pace = { rounds: IDLE_ROUNDS, warmUp: 0, signal: bed.signal, onRound: progress.of(title) };
  return figures(title, "MiB", await interleave([{ name: BACKEND, round: idle }], pace));
}

async function startNode(): Promise<void> {
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
}
