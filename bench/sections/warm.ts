import { timeBatch } from "../batch.ts";
import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { interleave } from "../interleave.ts";
import { leftOut, measurement, untilLast, type Measured, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { BURST, TITLES } from "../titles.ts";
import { hasWarmPool, NO_POOL, poolIsFull } from "../warm-pool.ts";
import { fairBaselines } from "../ways/baselines.ts";
import { DockHost } from "../ways/dockhost.ts";
import type { Way } from "../ways/way.ts";

const WARM_UP_ROUNDS = 1;
/** Less than the profile's own, so that the slot must be changed to suit. */
const OTHER_LIMITS = { memoryMiB: 256, cpus: 0.5, pids: 256 };
/** A burst takes twenty creates of either side, and a pool to be filled again. */
const SAMPLES_PER_BURST = 4;

/** From the command's leaving to the reply, before which the backend has seen SSH answer: a slot that stood ready is claimed. */
export async function measureWarm(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  const one = await withPool(bed, 1, (backend) => measureOne(bed, backend, progress));
  if (!one) return [leftOut(TITLES.claim, NO_POOL)];
  await bed.beginAnew();
  const burst = await withPool(bed, BURST, (backend) => measureBurst(bed, backend, progress));
  return [...one, ...(burst ?? [])];
}

async function withPool<T>(
  bed: TestBed,
  warmPool: number,
  measure: (backend: BackendProcess) => Promise<T>,
): Promise<T | undefined> {
  // With room for no more users than that, the pool does not grow with what it is asked for.
  await using backend = await bed.startBackend({ warmPool, maxContainers: warmPool });
  return (await hasWarmPool(backend)) ? await measure(backend) : undefined;
}

async function measureOne(bed: TestBed, backend: BackendProcess, progress: Progress): Promise<Measurement[]> {
  const { raw } = await fairBaselines(bed, backend);
  const ours = new DockHost(backend, bed.sshPublicKey);
  const other = new DockHost(backend, bed.sshPublicKey, {
    name: "DockHost, asked for other limits",
    limits: OTHER_LIMITS,
  });
  const seen = new DockHost(backend, bed.sshPublicKey, {
    name: "DockHost, its banner read again after the reply",
    seeingBanner: true,
  });
  const pool = { slots: 1, atOnce: 1, rounds: bed.options.samples };
  const results = await measureFromPool(bed, backend, [ours, other, seen, raw], {
    ...pool,
    progress,
    title: TITLES.claim,
  });
  return [measurement(TITLES.claim, "ms", results)];
}

async function measureBurst(bed: TestBed, backend: BackendProcess, progress: Progress): Promise<Measurement[]> {
  const { raw } = await fairBaselines(bed, backend);
  const ours = new DockHost(backend, bed.sshPublicKey);
  const pool = { slots: BURST, atOnce: BURST, rounds: bed.options.samples / SAMPLES_PER_BURST };
  const title = TITLES.burst(BURST);
  const results = await measureFromPool(bed, backend, [ours, raw], { ...pool, progress, title });
  return [measurement(title, "ms", results), measurement(TITLES.burstDone(BURST), "ms", results.map(untilLast))];
}

/** Before each round of every way the pool is full and the backend idle: filling it up falls into nobody's time. */
async function measureFromPool(
  bed: TestBed,
  backend: BackendProcess,
  ways: readonly Way[],
  { slots, atOnce, rounds, title, progress }: Pool,
): Promise<Measured[]> {
  const timedWays = ways.map((way) => ({
    name: way.name,
    round: async () => {
      await poolIsFull(bed, backend, slots);
      return timeBatch(way, atOnce);
    },
  }));
  return interleave(timedWays, { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title) });
}

interface Pool {
  slots: number;
  atOnce: number;
  rounds: number;
  title: string;
  progress: Progress;
}
