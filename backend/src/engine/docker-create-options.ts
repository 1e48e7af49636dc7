import type { ContainerLimits, ContainerSpec } from "./engine.ts";

/** Our spec in the Engine API's words (`POST /containers/create`). */
export function createOptions(spec: ContainerSpec) {
  const ports = Object.entries(spec.ports).map(([inside, outside]) => [`${inside}/tcp`, outside] as const);
  return {
    Image: spec.image,
    Hostname: spec.hostname,
    Labels: { ...spec.labels },
    Env: Object.entries(spec.environment).map(([key, value]) => `${key}=${value}`),
    ExposedPorts: Object.fromEntries(ports.map(([inside]) => [inside, {}])),
    HostConfig: {
      NetworkMode: spec.network,
      PortBindings: Object.fromEntries(
        ports.map(([inside, outside]) => [inside, [{ HostIp: spec.bindAddress, HostPort: String(outside) }]]),
      ),
      // Never `Binds`: they make a missing source, where `Mounts` refuse it.
      Mounts: spec.readOnlyMounts.map(({ source, target }) => ({
        Type: "bind",
        Source: source,
        Target: target,
        ReadOnly: true,
      })),
      Privileged: false,
      CapDrop: ["ALL"],
      CapAdd: [...spec.capabilities],
      ...limitOptions(spec),
      CpuShares: spec.cpuShares,
      Ulimits: ulimits(spec.openFiles),
      OomScoreAdj: spec.oomScoreAdjustment,
      ShmSize: spec.shmBytes,
      ...(spec.diskBytes !== undefined && { StorageOpt: { size: String(spec.diskBytes) } }),
      Init: true,
      RestartPolicy: { Name: "unless-stopped" },
      AutoRemove: false,
      LogConfig: { Type: "local", Config: { "max-size": "5m", "max-file": "2", mode: "non-blocking" } },
      ...(spec.runtime !== undefined && { Runtime: spec.runtime }),
    },
  };
}

/** Memory with swap is memory alone: none of it is swapped out. */
export const limitOptions = ({ memoryBytes, cpus, pids }: ContainerLimits) => ({
  PidsLimit: pids,
  Memory: memoryBytes,
  MemorySwap: memoryBytes,
  NanoCpus: Math.round(cpus * 1e9),
});

function ulimits(openFiles: number | undefined): { Name: string; Soft: number; Hard: number }[] {
  const noCoreDumps = { Name: "core", Soft: 0, Hard: 0 };
  return openFiles === undefined ? [noCoreDumps] : [noCoreDumps, { Name: "nofile", Soft: openFiles, Hard: openFiles }];
}
