import { setTimeout as delay } from "node:timers/promises";
import { cpus as processors, hostname, totalmem } from "node:os";
import { PROTOCOL_VERSION, type BackendStatus } from "@dockhost/protocol";
import type { EngineInfo } from "../engine/engine.ts";
import { addresses } from "./addresses.ts";
import { comfortableContainers, type HostResources } from "./capacity.ts";
import type { Profile } from "./container-spec.ts";
import type { Draining } from "./draining.ts";
import type { Egress } from "./egress.ts";
import type { EngineTrial } from "./engine-trial.ts";
import type { Gate } from "./gate.ts";
import type { Inventory } from "./inventory.ts";
import type { PortRange } from "./port-triples.ts";
import { ProcessorUse } from "./processor-use.ts";
import type { SpareSlots } from "./spare-slots.ts";

const MIB = 1024 * 1024;
/** ms */
const FIRST_PATIENCE_MS = 4_000;
/** Less than from one heartbeat to the next, ms. */
const ADDRESSES_KNOWN_MS = 9_000;

interface StatusParts {
  gate: Gate;
  inventory: Inventory;
  spares: SpareSlots;
  engineTrial: EngineTrial;
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
  readonly #processors = new ProcessorUse();
  #engineInfo: EngineInfo | undefined;
  #addressesLast: string[] = [];
  #addressesAt = -Infinity;

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  /** The Engine starts two programs to tell of itself (15 ms), and what it tells changes only by a restart: so it is asked then. */
  engineIs(info: EngineInfo): void {
    this.#engineInfo = info;
  }

  async read(): Promise<BackendStatus> {
    const { engineTrial, draining, egress, host, inventory, portRange, spares, version } = this.#parts;
    const info = await this.#infoIfReachable();
    const owned = inventory.ownedLast;
    const cpuPercent = this.#processors.percent();
    const disk = await host.disk();
    return {
      protocol: PROTOCOL_VERSION,
      version,
      hostname: hostname(),
      addresses: this.#addresses(),
      docker: { reachable: info !== undefined, version: info?.version ?? null },
      capacity: {
        ...this.#capacity(info),
        diskMiB: disk.totalMiB,
        diskQuotaEnforced: engineTrial.known?.diskQuota ?? null,
        egress: egress.policy,
        egressEnforced: egress.enforced,
        portRange,
      },
      usage: {
        containers: owned.length,
        running: owned.filter(({ state }) => state === "running").length,
        warmSlots: spares.ready.length,
        memoryAvailableMiB: host.memoryAvailableMiB(),
        diskFreeMiB: disk.freeMiB,
        ...(cpuPercent !== undefined && { cpuPercent }),
      },
      draining: draining.on,
    };
  }

  /** The first one tells what recovery has found, but waits for no Engine that hangs. */
  async #infoIfReachable(): Promise<EngineInfo | undefined> {
    const { gate } = this.#parts;
    if (!this.#engineInfo && !gate.isClosed) {
      await Promise.race([gate.firstOpening, delay(FIRST_PATIENCE_MS, undefined, { ref: false })]);
    }
    return gate.isClosed ? undefined : this.#engineInfo;
  }

  /** Among hundreds of containers' interfaces it takes the system tens of milliseconds to tell its own. */
  #addresses(): string[] {
    if (performance.now() - this.#addressesAt > ADDRESSES_KNOWN_MS) {
      this.#addressesLast = addresses();
      this.#addressesAt = performance.now();
    }
    return this.#addressesLast;
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
