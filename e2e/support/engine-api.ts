import { setTimeout as delay } from "node:timers/promises";
import { DockerApi } from "../../backend/src/engine/docker-api.ts";

/** What of a container's inspection the tests look at. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
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
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostPort: string }[]>>;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly UTSMode: string;
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** As the Engine lists it. */
interface Found {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: string;
}

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As Docker names it: `created`, `running`, … */
  readonly state: string;
}

/** How long containers may take to go, and how often is looked whether they are gone, ms. */
const REMOVAL_MS = 60_000;
const REMOVAL_LOOK_MS = 200;

/**
 * What tests look at again and again while they wait, asked of the Engine itself: to start a `docker` for each look would
 * keep a processor busy.
 */
export class EngineApi {
  readonly #api: DockerApi;

  constructor(socketPath: string) {
    this.#api = new DockerApi({ kind: "unix", socketPath });
  }

  /** Running or not; those that bear `label` (`key` or `key=value`), where it is given. */
  async containers(label?: string): Promise<Listed[]> {
    const query = { all: true, filters: labelled(label) };
    const found = await this.#api.call<Found[]>("GET", "/containers/json", { query });
    return found.map(({ Id, Names, Image, Labels, State }) => {
      return { id: Id, name: Names[0]?.slice(1) ?? "", image: Image, labels: Labels, state: State };
    });
  }

  async inspect(idOrName: string): Promise<Inspected> {
    return this.#api.call("GET", `/containers/${idOrName}/json`);
  }

  /** Removes every container that bears `label`; one whose removal was begun by somebody else is waited for. */
  async removeAll(label: string): Promise<void> {
    const end = performance.now() + REMOVAL_MS;
    for (;;) {
      const found = await this.containers(label);
      if (found.length === 0) return;
      const removals = await Promise.allSettled(found.map(({ id }) => this.#remove(id)));
      const failed = removals.find((removal) => removal.status === "rejected");
      if (failed && performance.now() > end) throw failed.reason;
      if (failed) await delay(REMOVAL_LOOK_MS);
    }
  }

  async #remove(id: string): Promise<void> {
    await this.#api.call("DELETE", `/containers/${id}`, { query: { force: true, v: true } });
  }

  /**
   * `name:tag` of the images, `<none>:<none>` of one that has no name: those that bear `label`, or `all` with the layers
   * that others are made on.
   */
  async images(which: { label: string } | "all"): Promise<string[]> {
    const query = which === "all" ? { all: true } : { filters: labelled(which.label) };
    const found = await this.#api.call<{ RepoTags: string[] | null }[]>("GET", "/images/json", { query });
    return found.flatMap(({ RepoTags }) => RepoTags ?? ["<none>:<none>"]);
  }

  async networks(): Promise<string[]> {
    return (await this.#api.call<{ Name: string }[]>("GET", "/networks")).map(({ Name }) => Name);
  }
}

const labelled = (label: string | undefined) => (label === undefined ? {} : { label: [label] });

/** The machine's own. */
export const machinesEngine = new EngineApi("/var/run/docker.sock");

export const inspect = (idOrName: string): Promise<Inspected> => machinesEngine.inspect(idOrName);
