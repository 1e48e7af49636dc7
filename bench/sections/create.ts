import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { allEnded, interleave, timed } from "../interleave.ts";
import { measurement, type Measurement } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import type { Round } from "../statistics.ts";
import { DockerRun } from "../ways/docker-run.ts";
import { DockHost, newUsername } from "../ways/dockhost.ts";
import { PortRange } from "../ways/port-range.ts";
import { profileOf, requireSameProfile, type Profile } from "../ways/profile.ts";
import { RawEngine, type BaselineParts } from "../ways/raw-engine.ts";
import type { Way } from "../ways/way.ts";

const WARM_UP_ROUNDS = 2;

/** From the wish for a container to its SSH answering, one or several at a time. */
export async function measureCreate(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  await using backend = await bed.startBackend();
  const ways = await fairWays(bed, backend);
  const found: Measurement[] = [];
  for (const concurrency of bed.options.concurrency) {
    const title = `Create until SSH answers, ${concurrency} at a time`;
    const timedWays = ways.map((way) => ({ name: way.name, round: () => timeBatch(way, concurrency) }));
    const pace = { rounds: bed.options.samples, warmUp: WARM_UP_ROUNDS, signal: bed.signal };
    const results = await interleave(timedWays, { ...pace, onRound: progress.of(title, pace.rounds) });
    found.push(measurement(title, "ms", results));
    if (concurrency > 1) found.push(measurement(`… until all ${concurrency} are done`, "ms", results.map(untilLast)));
  }
  return found;
}

/** Ours, and baselines with the profile of a container that the backend has made, each shown to be the same. */
async function fairWays(bed: TestBed, backend: BackendProcess): Promise<Way[]> {
  const { engine, label } = bed;
  const profile = await profileOfOurs(bed, backend);
  const parts = { engine, label, profile, keys: await bed.makeKeyDirectory() };
  // Below the kernel's ephemeral ports, and apart from the backend's.
  const baselines = [
    new RawEngine({ ...parts, ports: new PortRange(26_000, 26_999) }),
    new DockerRun({ ...parts, ports: new PortRange(27_000, 27_999) }),
  ];
  for (const baseline of baselines) await requireFair(baseline, parts);
  return [new DockHost(backend, bed.sshPublicKey), ...baselines];
}

async function profileOfOurs(bed: TestBed, backend: BackendProcess): Promise<Profile> {
  const username = newUsername();
  const { containerId } = await backend.command("create-container", { username, sshPublicKey: bed.sshPublicKey });
  const profile = await profileOf(bed.engine, containerId);
  await backend.command("delete-container", { username });
  return profile;
}

async function requireFair(baseline: Way, { engine, label, profile }: Omit<BaselineParts, "ports">): Promise<void> {
  const attempt = await baseline.prepare();
  await attempt.create();
  for (const { Id } of await engine.list([`${label.name}=${label.value}`])) {
    requireSameProfile(baseline.name, await profileOf(engine, Id), profile);
  }
  await attempt.remove();
}

/** Begins so many creates at once; what each took. Their removal is not measured. */
async function timeBatch(way: Way, size: number): Promise<Round> {
  const attempts = await Promise.all(Array.from({ length: size }, () => way.prepare()));
  const times = await allEnded(attempts.map((attempt) => timed(() => attempt.create())));
  await allEnded(attempts.map((attempt) => attempt.remove()));
  return times;
}

const untilLast = ({ name, rounds }: { name: string; rounds: readonly Round[] }) => ({
  name,
  rounds: rounds.map((round) => [Math.max(...round)]),
});
