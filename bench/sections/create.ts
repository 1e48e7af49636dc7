import { timeBatch } from "../batch.ts";
import type { TestBed } from "../bed.ts";
import { interleave, type Timed } from "../interleave.ts";
import { measurement, untilLast, type Measured, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { TITLES } from "../titles.ts";
import { fairBaselines, type Baselines } from "../ways/baselines.ts";
import { DockHost } from "../ways/dockhost.ts";

const WARM_UP_ROUNDS = 2;
const WITHOUT_SSH = "DockHost V2's way, without waiting for SSH";
const V2_IN_WORDS =
  "DockHost V2 looked for ports by a program (`ss`), spawned `docker run`, and answered without waiting for SSH: " +
  "in each table the time until its answer stands first, and below it the same creates until SSH answers, as the others' do.";
const NO_SS = "DockHost V2's way is left out: it looks for ports by `ss` (iproute2), which this machine does not have.";

/** From the wish for a container to its SSH answering, one or several at a time, with nothing made ahead. */
export async function measureCreate(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend();
  const baselines = await fairBaselines(bed, backend);
  const ours = new DockHost(backend, bed.sshPublicKey);
  const found: Measurement[] = [];
  for (const atOnce of bed.options.concurrency) {
    const results = await measureAtOnce(bed, ours, baselines, { atOnce, onRound: progress.of(TITLES.create(atOnce)) });
    found.push({
      ...measurement(TITLES.create(atOnce), "ms", results),
      ...(found.length === 0 && remark(bed, baselines)),
    });
    if (atOnce > 1) found.push(measurement(TITLES.allCreated(atOnce), "ms", results.map(untilLast)));
  }
  return found;
}

async function measureAtOnce(
  bed: TestBed,
  ours: DockHost,
  { raw, dockerRun, v2 }: Baselines,
  { atOnce, onRound }: { atOnce: number; onRound: (done: number, of: number) => void },
): Promise<Measured[]> {
  const withoutSsh: number[][] = [];
  const ways: Timed[] = [ours, raw, dockerRun]
    .filter((way) => way !== undefined)
    .map((way) => ({ name: way.name, round: () => timeBatch(way, atOnce) }));
  if (v2) {
    const round = async () => {
      const times = await timeBatch(v2, atOnce);
      withoutSsh.push(v2.takeWithoutSsh());
      return times;
    };
    ways.push({ name: v2.name, round });
  }
  const pace = { rounds: roundsOf(bed.options.samples, atOnce), warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound };
  const results = await interleave(ways, pace);
  // Before the same creates' own row.
  if (v2) results.splice(-1, 0, { name: WITHOUT_SSH, rounds: withoutSsh.slice(WARM_UP_ROUNDS) });
  return results;
}

/** Several at once scatter most when they are few, and take longest when they are many. */
const roundsOf = (samples: number, atOnce: number): number =>
  atOnce === 1 ? samples : Math.ceil((2 * samples) / atOnce ** 0.6);

function remark(bed: TestBed, { v2 }: Baselines): { remark?: string } {
  if (bed.options.onlyRawBaseline) return {};
  return { remark: v2 ? V2_IN_WORDS : NO_SS };
}
