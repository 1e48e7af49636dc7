import { createHash } from "node:crypto";
import type { Limits } from "@dockhost/protocol";
import type { ContainerSpec } from "../engine/engine.ts";
import { DockHostError } from "./errors.ts";
import { LABELS } from "./names.ts";
import { portsOf } from "./port-triples.ts";

/** The bridge that every instance is on; traffic between its containers is off. */
export const NETWORK = "dockhost";

/** The operator's ceilings and choices for every container of this backend. */
export interface Profile {
  limits: { memoryBytes: number; cpus: number; pids: number; diskBytes: number };
  bindAddress: string;
  runtime: string | undefined;
}

/** What a trial on this Engine has shown; see `probeEngine`. */
export interface EngineAbilities {
  diskQuota: boolean;
  openFilesLimit: boolean;
}

/** One container to be made. */
export interface SlotPlan {
  slot: string;
  backendId: string;
  image: { reference: string; id: string };
  base: number;
  limits: Limits;
  /** Where the image reads keys, and the host directory with them; undefined: by environment. */
  keys: { source: string; target: string } | undefined;
  environment: Readonly<Record<string, string>>;
}

/**
 * What a tenant who is root may still do: own files, change users (login, sudo), bind low ports, chroot (sshd),
 * write audit records (PAM). Login fails without SYS_CHROOT, SETUID, SETGID, AUDIT_WRITE or CHOWN.
 */
const CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "AUDIT_WRITE",
] as const;

const MIB = 1024 * 1024;
const OPEN_FILES = 65_536;
/** Every instance weighs alike when the processors are contended. */
const CPU_SHARES = 1024;
/** Under memory pressure of the host an instance goes before the host's own services. */
const OOM_SCORE_ADJUSTMENT = 500;

/** Below these an sshd does not answer. */
const FLOORS = { memoryMiB: 32, cpus: 0.05, pids: 16, diskMiB: 64 } as const;

/** Everything the Engine needs to make the container of `plan`. Pure. */
export function containerSpec(plan: SlotPlan, profile: Profile, abilities: EngineAbilities): ContainerSpec {
  const { backendId, slot, base, image } = plan;
  const labels = {
    [LABELS.managed]: "true",
    [LABELS.backend]: backendId,
    [LABELS.slot]: slot,
    [LABELS.ports]: String(base),
    [LABELS.spec]: specHash(image, profile, abilities),
  };
  return { ...unlabelled(plan, profile, abilities), labels };
}

/** Changes when the image or anything of the profile does: a container made ahead under another hash is stale. */
export function specHash(image: SlotPlan["image"], profile: Profile, abilities: EngineAbilities): string {
  const plan = { slot: "", backendId: "", image, base: 1, limits: {}, keys: undefined, environment: {} };
  const parts = JSON.stringify([image.id, unlabelled(plan, profile, abilities)]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 16);
}

function unlabelled(plan: SlotPlan, profile: Profile, abilities: EngineAbilities): Omit<ContainerSpec, "labels"> {
  const ports = portsOf(plan.base);
  const limits = limitsOf(plan.limits, profile);
  return {
    image: plan.image.reference,
    hostname: "dockhost",
    environment: plan.environment,
    readOnlyMounts: plan.keys ? [plan.keys] : [],
    network: NETWORK,
    bindAddress: profile.bindAddress,
    ports: { 22: ports.ssh, 80: ports.http, 443: ports.https },
    capabilities: CAPABILITIES,
    memoryBytes: limits.memoryBytes,
    cpus: limits.cpus,
    pids: limits.pids,
    cpuShares: CPU_SHARES,
    shmBytes: 64 * MIB,
    oomScoreAdjustment: OOM_SCORE_ADJUSTMENT,
    openFiles: abilities.openFilesLimit ? OPEN_FILES : undefined,
    diskBytes: abilities.diskQuota ? limits.diskBytes : undefined,
    runtime: profile.runtime,
  };
}

/** Throws INVALID_ARGUMENT where `limits` ask for more than the operator's own, or for too little to log in. */
export function checkLimits(limits: Limits, profile: Profile): void {
  const ceilings = {
    memoryMiB: profile.limits.memoryBytes / MIB,
    cpus: profile.limits.cpus,
    pids: profile.limits.pids,
    diskMiB: profile.limits.diskBytes / MIB,
  };
  for (const name of Object.keys(FLOORS) as (keyof Limits)[]) {
    const asked = limits[name];
    if (asked === undefined || (asked >= FLOORS[name] && asked <= ceilings[name])) continue;
    throw new DockHostError(
      "INVALID_ARGUMENT",
      `limits.${name} must be between ${FLOORS[name]} and this backend's ${ceilings[name]}, not ${asked}.`,
    );
  }
}

/** What a container gets that asks for `asked`: the operator's own where it asks for nothing. */
export function limitsOf(asked: Limits, profile: Profile): Profile["limits"] {
  return {
    memoryBytes: asked.memoryMiB === undefined ? profile.limits.memoryBytes : asked.memoryMiB * MIB,
    cpus: asked.cpus ?? profile.limits.cpus,
    pids: asked.pids ?? profile.limits.pids,
    diskBytes: asked.diskMiB === undefined ? profile.limits.diskBytes : asked.diskMiB * MIB,
  };
}
