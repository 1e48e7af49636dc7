import { setTimeout as delay } from "node:timers/promises";
import type { DockerApi } from "./docker-api.ts";
import { once, repeatable } from "./docker-calls.ts";
import { EngineError } from "./engine.ts";

const ICC_OPTION = "com.docker.network.bridge.enable_icc";
const INTERFACE_OPTION = "com.docker.network.bridge.name";
/** Linux takes no longer name of an interface. */
const INTERFACE_NAME_MAX = 15;
/** How long another maker's bridge may take to be listed, ms. */
const LISTED_WITHIN_MS = 5_000;

interface DockerNetwork {
  Name: string;
  Id: string;
  Created: string;
  Options?: Record<string, string> | null;
}

/**
 * The bridges that keep their containers apart. The Engine takes several networks of one name (its check is not
 * atomic: six creates at once made six) and then starts no container on any, so there is one maker at a time here, and
 * whoever has made one removes all but the oldest, which every agent of this Engine agrees on.
 */
export class DockerBridges {
  readonly #api: DockerApi;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(api: DockerApi) {
    this.#api = api;
  }

  /** Makes the bridge where it is missing. Throws an EngineError where one of that name lets its containers meet. */
  async ensure(name: string): Promise<void> {
    const begun = this.#underWay.get(name);
    if (begun) return begun;
    const work = this.#ensureOne(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, work);
    await work;
  }

  /** Its interface on the Engine's machine; of a bridge that is missing, the one that it will get. */
  async interfaceOf(name: string): Promise<string> {
    const [oldest] = await this.#named(name);
    if (oldest === undefined) return steadyInterface(name) ?? "";
    return oldest.Options?.[INTERFACE_OPTION] ?? `br-${oldest.Id.slice(0, 12)}`;
  }

  /** Of the bridge that the Engine makes for itself; undefined where it was told to make none. */
  async idOfDefault(): Promise<string | undefined> {
    const [own] = await this.#named("bridge");
    return own?.Id;
  }

  async #ensureOne(name: string): Promise<void> {
    if ((await this.#keepOldest(name)) === 0) {
      await this.#create(name);
      await this.#keepOldest(name);
    }
  }

  /**
   * Under the first interface that is to be had: an Engine that died while it made the bridge keeps the interface for a
   * network that it lists no more (seen of Engine 20.10), and would refuse it for ever.
   */
  async #create(name: string): Promise<void> {
    for (const bridge of interfacesFor(name)) {
      try {
        await this.#createOn(bridge, name);
        return;
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        // Another agent on this Engine is refused to us by its name at once, by its interface before it is listed.
        if (error.kind === "name-taken") return;
        if (!error.message.includes("same bridge name")) throw error;
        if (await this.#isListedSoon(name)) return;
      }
    }
    throw new EngineError("other", `Docker refuses every interface for its network '${name}'.`);
  }

  async #createOn(bridge: string | undefined, name: string): Promise<void> {
    const network = {
      Name: name,
      Driver: "bridge",
      CheckDuplicate: true,
      Labels: { "dockhost.managed": "true" },
      Options: { [ICC_OPTION]: "false", ...(bridge !== undefined && { [INTERFACE_OPTION]: bridge }) },
    };
    await once("create network", () => this.#api.call("POST", "/networks/create", { body: network }));
  }

  async #isListedSoon(name: string): Promise<boolean> {
    const givenUpAt = performance.now() + LISTED_WITHIN_MS;
    while ((await this.#named(name)).length === 0) {
      if (performance.now() > givenUpAt) return false;
      await delay(50);
    }
    return true;
  }

  /** The oldest first. */
  async #named(name: string): Promise<DockerNetwork[]> {
    const query = { filters: { name: [name] } };
    const listed = await repeatable("networks", () => this.#api.call<DockerNetwork[]>("GET", "/networks", { query }));
    return listed.filter((network) => network.Name === name).sort(byAge);
  }

  /** Answers how many of that name there were. */
  async #keepOldest(name: string): Promise<number> {
    const found = await this.#named(name);
    for (const network of found) refuseOpen(network);
    for (const { Id } of found.slice(1)) {
      // One that another agent has removed already, or that a container is on, is not in the way of this one.
      await once("remove network", () => this.#api.call("DELETE", `/networks/${Id}`)).catch(() => undefined);
    }
    return found.length;
  }
}

/** A firewall's rules name an interface: as the network where that fits, so that they can stand before it is made. */
const steadyInterface = (name: string): string | undefined => (name.length <= INTERFACE_NAME_MAX ? name : undefined);

/** It, and those that stand in for it; left to the Engine where its name is too long. */
function interfacesFor(name: string): (string | undefined)[] {
  const steady = ["", "-2", "-3", "-4"].map((suffix) => steadyInterface(name + suffix));
  return [steady[0], ...steady.slice(1).filter((one) => one !== undefined)];
}

const byAge = (one: DockerNetwork, other: DockerNetwork): number =>
  one.Created.localeCompare(other.Created) || one.Id.localeCompare(other.Id);

function refuseOpen({ Name, Options }: DockerNetwork): void {
  if (Options?.[ICC_OPTION] === "false") return;
  throw new EngineError(
    "other",
    `The Docker network '${Name}' lets containers reach each other; remove it (docker network rm ${Name}) and DockHost makes it anew.`,
  );
}
