import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { Crowd } from "../crowd.ts";
import { interleave } from "../interleave.ts";
import { measurement, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { TITLES } from "../titles.ts";
import { listWays } from "../ways/list.ts";

const CONTAINERS = 50;
const WARM_UP_ROUNDS = 5;
/** A list takes milliseconds, so many more of them are worth one create. */
const ROUNDS_PER_SAMPLE = 5;

/** `list-containers` with 50 running containers, against the Engine's own list of the same. */
export async function measureList(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend();
  await new Crowd(bed, backend).growTo(CONTAINERS, progress.of(`Making ${CONTAINERS} containers`));
  return [await measureLists(bed, backend, progress)];
}

async function measureLists(bed: TestBed, backend: BackendProcess, progress: Progress): Promise<Measurement> {
  const title = TITLES.list(CONTAINERS);
  const rounds = bed.options.samples * ROUNDS_PER_SAMPLE;
  const pace = { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title) };
  return measurement(title, "ms", await interleave(await listWays(bed, backend, CONTAINERS), pace));
}
