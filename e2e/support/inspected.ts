import { docker } from "./docker-cli.ts";

/** What of `docker inspect` the tests look at. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Running: boolean; readonly StartedAt: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Env: readonly string[] };
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string; readonly RW: boolean }[];
  readonly HostConfig: {
    readonly CapDrop: readonly string[];
    readonly CapAdd: readonly string[];
    readonly Privileged: boolean;
    readonly SecurityOpt: readonly string[] | null;
    readonly Ulimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
    readonly Binds: readonly string[] | null;
    readonly Mounts?: readonly object[];
    readonly Devices: readonly object[] | null;
    readonly VolumesFrom: readonly string[] | null;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly UTSMode: string;
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

export async function inspect(idOrName: string): Promise<Inspected> {
  const [found] = JSON.parse(await docker("container", "inspect", idOrName)) as Inspected[];
  if (!found) throw new Error(`no container ${idOrName}`);
  return found;
}
