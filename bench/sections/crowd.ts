import { setTimeout as delay } from "node:timers/promises";
import { timeBatch } from "../batch.ts";
import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { Crowd } from "../crowd.ts";
import { interleave, type Timed } from "../interleave.ts";
import { circumstances, figures, leftOut, type Measured, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { residentMiB } from "../resident-memory.ts";
import type { Round } from "../statistics.ts";
import { afterwards, among, CROWD, OURS, RAW, TITLES, whileMaking } from "../titles.ts";
import { hasWarmPool, NO_POOL, poolIsFull } from "../warm-pool.ts";
import { fairBaselines } from "../ways/baselines.ts";
import { DockHost } from "../ways/dockhost.ts";
import { listWays } from "../ways/list.ts";
import type { RawEngine } from "../ways/raw-engine.ts";

const STEPS = [0, 50, 100, CROWD];
const WARM_UP_ROUNDS = 2;
const IDLE_AFTER_MS = 5_000;
/** Three heartbeats and a little. */
const WATCH_MS = 31_000;
const REMARK =
  "With none it was measured before the others came and after they had left, so that a machine that becomes slower does not look like a cost of theirs.";

/** What was measured among so many containers. */
interface Step {
  size: number;
  claim: Round[];
  raw: Round[];
  list: Round[];
  memory: Round[];
}

interface Scene {
  bed: TestBed;
  backend: BackendProcess;
  raw: RawEngine;
  hasPool: boolean;
  progress: Progress;
}

/** What it costs that more and more containers stand, and whether the backend still tells of itself in time. */
export async function measureCrowd(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend({ warmPool: 1 });
  const hasPool = await hasWarmPool(backend);
  const { raw } = await fairBaselines(bed, backend);
  const scene = { bed, backend, raw, hasPool, progress };
  const crowd = new Crowd(bed, backend);
  const steps: Step[] = [];
  let late = 0;
  for (const size of STEPS) {
    late = Math.max(late, await latenessDuring(backend, () => crowd.growTo(size, progress.of("Making containers"))));
    steps.push(await measureAmong(scene, size));
  }
  const lateAfterwards = await latenessDuring(backend, () => delay(WATCH_MS, undefined, { signal: bed.signal }));
  await crowd.leave();
  const again = await measureAmong(scene, 0);
  return [...tables(steps, again, hasPool), heartbeats(late, lateAfterwards)];
}

async function latenessDuring(backend: BackendProcess, work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return backend.statuses.latenessBetween(begin, performance.now());
}

async function measureAmong(scene: Scene, size: number): Promise<Step> {
  const { bed, backend, hasPool, progress } = scene;
  await delay(IDLE_AFTER_MS, undefined, { signal: bed.signal });
  const memory = [[await residentMiB(backend.pid)]];
  const pace = { warmUp: WARM_UP_ROUNDS, signal: bed.signal };
  const title = `${TITLES.claimAmong}, ${among(size)}`;
  const rounds = Math.ceil(bed.options.samples / 2);
  const creates = await interleave(createWays(scene), { ...pace, rounds, onRound: progress.of(title) });
  if (hasPool) await poolIsFull(bed, backend, 1);
  const listPace = { ...pace, rounds: bed.options.samples, onRound: () => undefined };
  const lists = await interleave(await listWays(bed, backend, size), listPace);
  return { size, memory, claim: of(creates, OURS), raw: of(creates, RAW), list: of(lists, OURS) };
}

function createWays({ bed, backend, raw, hasPool }: Scene): Timed[] {
  const ours = new DockHost(backend, bed.sshPublicKey);
  return (hasPool ? [ours, raw] : [raw]).map((way) => ({
    name: way.name,
    round: async () => {
      if (hasPool) await poolIsFull(bed, backend, 1);
      return timeBatch(way, 1);
    },
  }));
}

const of = (results: readonly { name: string; rounds: Round[] }[], wanted: string): Round[] =>
  results.find(({ name }) => name === wanted)?.rounds ?? [];

function tables([alone, ...others]: readonly Step[], again: Step, hasPool: boolean): Measurement[] {
  if (!alone) return [];
  const bothTimes = { ...alone, claim: [...alone.claim, ...again.claim], raw: [...alone.raw, ...again.raw] };
  const steps = [{ ...bothTimes, list: [...alone.list, ...again.list] }, ...others];
  const by = (figure: Exclude<keyof Step, "size">): Measured[] =>
    steps.map((step) => ({ name: among(step.size), rounds: step[figure] }));
  const claims = circumstancesOrNone(by("claim"), hasPool);
  const memory = [...by("memory"), { name: "after they have left", rounds: again.memory }];
  return [
    claims,
    circumstances(TITLES.rawAmong, "ms", by("raw")),
    circumstances(TITLES.listAmong, "ms", by("list")),
    circumstances(TITLES.memoryAmong, "MiB", memory),
  ];
}

function circumstancesOrNone(claims: readonly Measured[], hasPool: boolean): Measurement {
  if (!hasPool) return leftOut(TITLES.claimAmong, NO_POOL);
  return { ...circumstances(TITLES.claimAmong, "ms", claims), remark: REMARK };
}

const heartbeats = (late: number, lateAfterwards: number): Measurement =>
  figures(TITLES.heartbeat, "ms", [
    { name: whileMaking, rounds: [[late]] },
    { name: afterwards, rounds: [[lateAfterwards]] },
  ]);
