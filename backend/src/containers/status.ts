import { setTimeout as delay } from "node:timers/promises";
import { cpus as processors, hostname, totalmem } from "node:os";
import { PROTOCOL_VERSION, type BackendStatus } from "@dockhost/protocol";
import type { Engine, EngineInfo } from "../engine/engine.ts";
import { addresses } from "./addresses.ts";
import { comfortableContainers, type HostResources } from "./capacity.ts";
import type { Profile } from "./container-spec.ts";
import type { Draining } from "./draining.ts";
import type { Egress } from "./egress.ts";
import type { Inventory } from "./inventory.ts";
import type { PortRange } from "./port-triples.ts";
import type { Slots } from "./slots.ts";

const MIB = 1024 * 1024;
/** A heartbeat waits no longer than this for an Engine that hangs, ms. */
const ENGINE_PATIENCE_MS = 4_000;

interface StatusParts {
  engine: Engine;
  inventory: Inventory;
  slots: Slots;
  draining: Draining;
  egress: Egress;
  host: HostResources;
  profile: Profile;
  maxContainers: number;
  portRange: PortRange;
  version: string;
}

/** What the backend says of itself, whether or not Docker answers. */
export class Status {
  readonly #parts: StatusParts;
  #usage = { containers: 0, running: 0 };
  #engineInfo: EngineInfo | undefined;

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  /** The Engine starts two programs to tell of itself (15 ms), and it changes only by a restart: so it is asked then. */
  engineIs(info: EngineInfo): void {
    this.#engineInfo = info;
  }

  async read(): Promise<BackendStatus> {
    const { slots, draining, egress, host, portRange, version } = this.#parts;
    const info = await this.#infoIfReachable();
    return {
      protocol: PROTOCOL_VERSION,
      version,
      hostname: hostname(),
      addresses: addresses(),
      docker: { reachable: info !== undefined, version: info?.version ?? null },
      capacity: {
        ...this.#capacity(info),
        diskQuotaEnforced: slots.knownAbilities?.diskQuota ?? null,
        egress: egress.policy,
        egressEnforced: egress.enforced,
        portRange,
      },
      usage: {
        ...this.#usage,
        memoryAvailableMiB: host.memoryAvailableMiB(),
        diskFreeMiB: await host.diskFreeMiB(),
      },
      draining: draining.on,
    };
  }

  /** Undefined while the Engine does not answer; the containers counted last are told then. */
  async #infoIfReachable(): Promise<EngineInfo | undefined> {
    const { engine, inventory } = this.#parts;
    try {
      const owned = await Promise.race([inventory.owned(), delay(ENGINE_PATIENCE_MS, undefined, { ref: false })]);
      if (!owned) return undefined;
      this.#usage = {
        containers: owned.length,
        running: owned.filter(({ state }) => state === "running").length,
      };
      return (this.#engineInfo ??= await engine.info());
    } catch {
      return undefined;
    }
  }

  #capacity(
    info: EngineInfo | undefined,
  ): Pick<BackendStatus["capacity"], "maxContainers" | "comfortableContainers" | "cpus" | "memoryMiB"> {
    const { maxContainers, profile } = this.#parts;
    // Without an answer of the Engine's, this machine's own figures.
    const { cpus, memoryBytes } = info ?? { cpus: processors().length, memoryBytes: totalmem() };
    const memoryMiB = Math.floor(memoryBytes / MIB);
    const limitMiB = profile.limits.memoryBytes / MIB;
    return {
      maxContainers,
      comfortableContainers: comfortableContainers({ cpus, memoryMiB }, limitMiB, maxContainers),
      cpus,
      memoryMiB,
    };
  }
}
