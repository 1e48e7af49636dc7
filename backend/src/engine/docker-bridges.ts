import type Docker from "dockerode";
import type { NetworkInspectInfo } from "dockerode";
import { once, repeatable } from "./docker-calls.ts";
import { EngineError } from "./engine.ts";

const ICC_OPTION = "com.docker.network.bridge.enable_icc";

/**
 * The bridges that keep their containers apart. The Engine takes several networks of one name (its check is not
 * atomic: six creates at once made six) and then starts no container on any, so there is one maker at a time here, and
 * whoever has made one removes all but the oldest, which every agent of this Engine agrees on.
 */
export class DockerBridges {
  readonly #docker: Docker;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Makes the bridge where it is missing. Throws an EngineError where one of that name lets its containers meet. */
  async ensure(name: string): Promise<void> {
    const begun = this.#underWay.get(name);
    if (begun) return begun;
    const work = this.#ensureOne(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, work);
    await work;
  }

  async #ensureOne(name: string): Promise<void> {
    if ((await this.#keepOldest(name)) === 0) {
      await this.#create(name);
      await this.#keepOldest(name);
    }
  }

  async #create(name: string): Promise<void> {
    try {
      await once("create network", () =>
        this.#docker.createNetwork({
          Name: name,
          Driver: "bridge",
          CheckDuplicate: true,
          Labels: { "dockhost.managed": "true" },
          Options: { [ICC_OPTION]: "false" },
        }),
      );
    } catch (error) {
      // Another agent on this Engine made it in the meantime.
      if (!(error instanceof EngineError && error.kind === "name-taken")) throw error;
    }
  }

  /** Answers how many of that name there were. */
  async #keepOldest(name: string): Promise<number> {
    const listed = await repeatable("networks", () => this.#docker.listNetworks({ filters: { name: [name] } }));
    const found = listed.filter((network) => network.Name === name).sort(byAge);
    for (const network of found) refuseOpen(network);
    for (const { Id } of found.slice(1)) {
      // One that another agent has removed already, or that a container is on, is not in the way of this one.
      await once("remove network", () => this.#docker.getNetwork(Id).remove()).catch(() => undefined);
    }
    return found.length;
  }
}

const byAge = (one: NetworkInspectInfo, other: NetworkInspectInfo): number =>
  one.Created.localeCompare(other.Created) || one.Id.localeCompare(other.Id);

function refuseOpen({ Name, Options }: NetworkInspectInfo): void {
  if (Options?.[ICC_OPTION] === "false") return;
  throw new EngineError(
    "other",
    `The Docker network '${Name}' lets containers reach each other; remove it (docker network rm ${Name}) and DockHost makes it anew.`,
  );
}
