import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { allEnded, interleave, timed } from "../interleave.ts";
import { measurement, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { newUsername } from "../ways/dockhost.ts";

const CONTAINERS = 50;
const CREATED_AT_ONCE = 4;
const WARM_UP_ROUNDS = 5;
/** A list takes milliseconds, so many more of them are worth one create. */
const ROUNDS_PER_SAMPLE = 5;

/** `list-containers` with 50 running containers, against the Engine's own list of the same. */
export async function measureList(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend();
  await makeContainers(bed, backend, progress.of(`Making ${CONTAINERS} containers`, CONTAINERS));

  const title = `List of ${CONTAINERS} containers`;
  const labels = ["dockhost.managed", await bed.backendLabel()];
  const ways = [
    { name: "DockHost", list: async () => (await backend.command("list-containers", {})).containers },
    { name: "raw Engine API", list: () => bed.engine.list(labels) },
  ];
  const rounds = bed.options.samples * ROUNDS_PER_SAMPLE;
  const timedWays = ways.map(({ name, list }) => ({ name, round: async () => [await timed(() => complete(list))] }));
  const pace = { rounds, warmUp: WARM_UP_ROUNDS, signal: bed.signal, onRound: progress.of(title, rounds) };
  const results = await interleave(timedWays, pace);
  await bed.removeContainers();
  return [measurement(title, "ms", results)];
}

async function makeContainers(bed: TestBed, backend: BackendProcess, onMade: (made: number) => void): Promise<void> {
  let made = 0;
  while (made < CONTAINERS) {
    bed.signal.throwIfAborted();
    const size = Math.min(CREATED_AT_ONCE, CONTAINERS - made);
    const batch = Array.from({ length: size }, () => ({ username: newUsername(), sshPublicKey: bed.sshPublicKey }));
    await allEnded(batch.map((request) => backend.command("create-container", request)));
    made += size;
    onMade(made);
  }
}

async function complete(list: () => Promise<readonly unknown[]>): Promise<void> {
  const { length } = await list();
  if (length !== CONTAINERS) throw new Error(`The list tells ${length} containers in place of ${CONTAINERS}.`);
}
