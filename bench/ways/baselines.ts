import type { BackendProcess } from "../backend-process.ts";
import type { TestBed } from "../bed.ts";
import { DockHostV2 } from "./dockhost-v2.ts";
import { newUsername } from "./dockhost.ts";
import { DockerRun } from "./docker-run.ts";
import { PortRange } from "./port-range.ts";
import { profileOf, requireSameProfile, type Profile } from "./profile.ts";
import { RawEngine, type BaselineParts } from "./raw-engine.ts";
import type { Way } from "./way.ts";

export interface Baselines {
  raw: RawEngine;
  /** Undefined where the bench was asked for the raw Engine API alone. */
  dockerRun?: DockerRun;
  /** Undefined also where the machine has no `ss`. */
  v2?: DockHostV2;
}

/** What ours is compared with, each with the profile of a container that the backend made, and shown to have it. */
export async function fairBaselines(bed: TestBed, backend: BackendProcess): Promise<Baselines> {
  const { engine, label, options } = bed;
  const profile = await profileOfOurs(bed, backend);
  const parts = { engine, label, profile, keys: await bed.makeKeyDirectory() };
  // Below the kernel's ephemeral ports, and apart from the backend's.
  const raw = new RawEngine({ ...parts, ports: new PortRange(26_000, 26_999) });
  await requireFair(raw, parts);
  if (options.onlyRawBaseline) return { raw };

  const dockerRun = new DockerRun({ ...parts, ports: new PortRange(27_000, 27_999) });
  await requireFair(dockerRun, parts);
  if (!(await DockHostV2.isPossible())) return { raw, dockerRun };

  const v2 = new DockHostV2({ ...parts, ports: new PortRange(28_000, 28_999) });
  await requireFair(v2, parts);
  v2.takeWithoutSsh();
  return { raw, dockerRun, v2 };
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
