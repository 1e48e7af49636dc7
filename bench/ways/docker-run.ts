import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { profileAt, type HostConfig, type Profile } from "./profile.ts";
import type { BaselineParts } from "./raw-engine.ts";
import { sshBanner } from "./ssh-banner.ts";
import type { Attempt, Way } from "./way.ts";

/** What a person at a terminal would do, with the flags that mean the same profile. */
export class DockerRun implements Way {
  readonly name = "docker run";
  readonly #parts: BaselineParts;

  constructor(parts: BaselineParts) {
    this.#parts = parts;
  }

  async prepare(): Promise<Attempt> {
    const { engine, ports } = this.#parts;
    const base = await ports.triple();
    const args = dockerRun(this.#parts, base);
    let id = "";
    return {
      async create() {
        id = await docker(args);
        await sshBanner(base);
      },
      remove: () => engine.remove(id),
    };
  }
}

/** The arguments of `docker` for the profile, at three ports from `base`. */
export function dockerRun({ profile, keys, label }: BaselineParts, base: number): string[] {
  const flags = flagsOf(profileAt(profile, base, keys));
  return ["run", "--detach", "--label", `${label.name}=${label.value}`, ...flags, profile.image];
}

/** In a process group of its own: Ctrl-C must not leave a container that nobody has heard of. */
export async function docker(args: readonly string[]): Promise<string> {
  const child = spawn("docker", args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const output = (await Promise.race([text(child.stdout), failed])).trim();
  if (output === "") throw new Error("docker run has made no container; its own words are above.");
  return output;
}

function flagsOf({ hostname, hostConfig }: Profile): string[] {
  const { Init, NetworkMode, Memory, MemorySwap, NanoCpus, CpuShares, PidsLimit, ShmSize, OomScoreAdj } = hostConfig;
  return [
    ...(Init ? ["--init"] : []),
    ...["--hostname", hostname, "--network", NetworkMode, "--restart", hostConfig.RestartPolicy.Name],
    ...["--memory", String(Memory), "--memory-swap", String(MemorySwap), "--shm-size", String(ShmSize)],
    ...["--cpus", String(NanoCpus / 1e9), "--cpu-shares", String(CpuShares), "--pids-limit", String(PidsLimit)],
    ...["--oom-score-adj", String(OomScoreAdj), "--runtime", hostConfig.Runtime],
    ...listsOf(hostConfig),
  ];
}

/** The flags that may be given several times. */
function listsOf({ CapAdd, CapDrop, Ulimits, LogConfig, StorageOpt, Mounts, PortBindings }: HostConfig): string[] {
  const ports = Object.entries(PortBindings).flatMap(([inside, bindings]) =>
    bindings.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${inside}`),
  );
  return [
    ...each("--cap-drop", CapDrop),
    ...each("--cap-add", CapAdd),
    ...each(
      "--ulimit",
      Ulimits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    ),
    ...each("--log-driver", [LogConfig.Type]),
    ...each("--log-opt", pairs(LogConfig.Config)),
    ...each("--storage-opt", pairs(StorageOpt ?? {})),
    ...each(
      "--mount",
      (Mounts ?? []).map(({ Type, Source, Target }) => `type=${Type},source=${Source},target=${Target},readonly`),
    ),
    ...each("--publish", ports),
  ];
}

const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
const pairs = (options: Record<string, string>): string[] =>
  Object.entries(options).map(([name, value]) => `${name}=${value}`);
