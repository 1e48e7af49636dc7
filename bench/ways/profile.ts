import type { EngineApi } from "./engine-api.ts";

interface PortBinding {
  HostIp: string;
  HostPort: string;
}

/** `HostConfig` of the Engine API, of which the bench reads these fields and hands on all. */
export interface HostConfig {
  NetworkMode: string;
  PortBindings: Record<string, PortBinding[]>;
  Mounts?: { Type: string; Source: string; Target: string; ReadOnly: boolean }[];
  CapAdd: string[];
  CapDrop: string[];
  PidsLimit: number;
  Memory: number;
  MemorySwap: number;
  NanoCpus: number;
  CpuShares: number;
  Ulimits: { Name: string; Soft: number; Hard: number }[];
  OomScoreAdj: number;
  ShmSize: number;
  StorageOpt?: Record<string, string>;
  Init: boolean;
  RestartPolicy: { Name: string };
  LogConfig: { Type: string; Config: Record<string, string> };
  Runtime: string;
}

/** What a container was made with. */
export interface Profile {
  image: string;
  hostname: string;
  exposedPorts: Record<string, object>;
  hostConfig: HostConfig;
}

interface Inspected {
  Config: { Image: string; Hostname: string; ExposedPorts: Record<string, object> };
  HostConfig: HostConfig;
}

/** Read from a container that the backend made, so that the baselines cannot drift from it. */
export async function profileOf(engine: EngineApi, idOrName: string): Promise<Profile> {
  const { Config, HostConfig } = await engine.call<Inspected>("GET", `/containers/${idOrName}/json`);
  const { Image: image, Hostname: hostname, ExposedPorts: exposedPorts } = Config;
  return { image, hostname, exposedPorts, hostConfig: HostConfig };
}

/** The same for another container: its own three ports, and the bench's key directory in place of the slot's. */
export function profileAt(profile: Profile, base: number, keys: string): Profile {
  const { PortBindings, Mounts } = profile.hostConfig;
  const inOrder = Object.entries(PortBindings).sort(([a], [b]) => parseInt(a, 10) - parseInt(b, 10));
  const moved = inOrder.map(([inside, bindings], index) => [
    inside,
    bindings.map(({ HostIp }) => ({ HostIp, HostPort: String(base + index) })),
  ]);
  const hostConfig = {
    ...profile.hostConfig,
    PortBindings: Object.fromEntries(moved) as HostConfig["PortBindings"],
    ...(Mounts && { Mounts: Mounts.map((mount) => ({ ...mount, Source: keys })) }),
  };
  return { ...profile, hostConfig };
}

/** Throws, naming them, where two containers differ in more than ports and the key directory's place. */
export function requireSameProfile(name: string, theirs: Profile, ours: Profile): void {
  const [left, right] = [comparable(theirs), comparable(ours)];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  const different = names.filter((field) => left.get(field) !== right.get(field));
  if (different.length > 0) throw new Error(`${name} is no fair baseline: it differs in ${different.join(", ")}.`);
}

function comparable(profile: Profile): Map<string, string> {
  const { image, hostname, hostConfig } = profileAt(profile, 1, "");
  const fields = Object.entries({ image, hostname, ...hostConfig });
  return new Map(fields.map(([field, value]) => [field, JSON.stringify(canonical(value))]));
}

/** The order of keys and of capabilities, nothing and emptiness, and spellings of one name mean no difference. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(canonical).sort(byText);
  if (typeof value === "string") return value.replace(/^CAP_/, "");
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== "" && field !== false && field !== 0);
  return fields.length === 0 ? null : fields.map(([field, inner]) => [field, canonical(inner)]).sort(byText);
}

const byText = (a: unknown, b: unknown): number => JSON.stringify(a).localeCompare(JSON.stringify(b));
