import type { CommandRequest, Container, OperationPhase } from "@dockhost/protocol";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { admit, type HostResources } from "./capacity.ts";
import type { Draining } from "./draining.ts";
import { DockHostError } from "./errors.ts";
import type { Images, PullListener } from "./images.ts";
import type { Inventory } from "./inventory.ts";
import { portsOf } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import type { Slot, SlotMaking } from "./slot-making.ts";
import type { Slots } from "./slots.ts";
import { containerView, type Owned } from "./views.ts";
import type { WarmPool } from "./warm-pool.ts";

/** What surrounds one command: who hears of its progress, and a deadline that a pull does not count against. */
export interface OperationContext {
  /** The deadline has passed and its sender has been told so. */
  readonly isOver: boolean;
  progress(phase: OperationPhase, bytes?: { current: number; total: number }): void;
  outsideDeadline<T>(work: Promise<T>): Promise<T>;
}

export interface CreationParts {
  inventory: Inventory;
  images: Images;
  slots: Slots;
  slotMaking: SlotMaking;
  directories: SlotDirectories;
  draining: Draining;
  warmPool: Pick<WarmPool, "noteCreate">;
  host: HostResources;
  maxContainers: number;
  log: Log;
}

/** A create that has passed validation. */
export interface CreateRequest {
  request: CommandRequest<"create-container">;
  keys: readonly string[];
  hash: string;
  /** Where the search for a triple begins. */
  portsFrom?: number | undefined;
}

/** Makes a user's container, from the question whether there may be one to its name. */
export class Creation {
  readonly #parts: CreationParts;
  /** Users whose container is being made: it has no claim yet, and counts all the same. */
  readonly #making = new Set<string>();

  constructor(parts: CreationParts) {
    this.#parts = parts;
  }

  async create({ request, keys, hash, portsFrom }: CreateRequest, context: OperationContext): Promise<Container> {
    const { username, operationId } = request;
    const { directories, images, inventory, slots, slotMaking } = this.#parts;
    const [existing, found] = await Promise.all([inventory.findKnown(username), images.find(request.image)]);
    if (existing && (await directories.readClaim(existing.slot))?.deleting === true) {
      await slots.destroy(existing.slot, existing.containerId);
    } else if (existing) {
      return this.#alreadyThere(existing, operationId, hash);
    }

    this.#making.add(username);
    try {
      const others = new Set([...directories.users(), ...this.#making]);
      others.delete(username);
      await this.#admit(others.size);
      this.#parts.warmPool.noteCreate();
      const onPull: PullListener = (current, total) => context.progress("pulling-image", { current, total });
      const image = found ?? (await context.outsideDeadline(images.ensure(request.image, onPull)));
      const createdAt = new Date().toISOString();
      const { limits } = request;
      const wish = { username, image: image.reference, limits, shouldRun: true, deleting: false };
      const claim = { ...wish, createdAt, operationId, requestHash: hash };
      return await slotMaking.make(
        { claim, keys, image, limits: limits ?? {}, portsFrom },
        (phase) => context.progress(phase),
        (slot) => this.#complete(slot, image.reference),
      );
    } finally {
      this.#making.delete(username);
    }
  }

  /** Success for the operation that made it (its record was cut off), ALREADY_EXISTS for any other. */
  async #alreadyThere(existing: Owned, operationId: string | undefined, hash: string): Promise<Container> {
    const { directories, inventory } = this.#parts;
    const container = await inventory.view(existing);
    const claim = await directories.readClaim(existing.slot);
    if (operationId !== undefined && claim?.operationId === operationId && claim.requestHash === hash) return container;
    throw new DockHostError(
      "ALREADY_EXISTS",
      `${existing.username} has a container on this backend already; start it, or delete it first.`,
      { existing: container },
    );
  }

  async #admit(containers: number): Promise<void> {
    const { draining, maxContainers, host } = this.#parts;
    if (draining.on) {
      throw new DockHostError("DRAINING", "This backend is draining and takes no new container; use another one.");
    }
    await admit(containers, maxContainers, host);
  }

  /** A container whose SSH answers is complete with its name. */
  async #complete({ slot, base, containerId, claim }: Slot, image: string): Promise<Container> {
    const { slots, log } = this.#parts;
    const { username, hostKeyFingerprint } = claim;
    log.info({ username, keys: keyDelivery(claim), hostKeyFingerprint }, "SSH set up");
    await slots.name(containerId, username);
    failpoint("create:named");
    log.info({ username, ports: portsOf(base) }, "Container created");
    const owned = { containerId, username, slot, base, state: "running" as const, image };
    return containerView({ ...owned, createdAt: new Date(claim.createdAt) }, claim);
  }
}

const keyDelivery = ({ keysMounted }: Claim): string => (keysMounted ? "mounted" : "by environment");
