import type { CommandRequest, Container, DeletedData } from "@dockhost/protocol";
import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { checkLimits, type Profile } from "./container-spec.ts";
import type { Creation, OperationContext } from "./creation.ts";
import type { Draining } from "./draining.ts";
import { DockHostError } from "./errors.ts";
import type { Gate } from "./gate.ts";
import type { Images } from "./images.ts";
import type { Inventory } from "./inventory.ts";
import type { Moving } from "./moving.ts";
import type { Entry } from "./operation-log.ts";
import type { Operations } from "./operations.ts";
import { portConflict } from "./port-conflict.ts";
import { portsOf } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import { STOP_GRACE_S, type Slots } from "./slots.ts";
import type { SshCheck } from "./ssh-check.ts";
import { authorizedKeys } from "./ssh-keys.ts";
import type { Owned } from "./views.ts";
import type { WarmPool } from "./warm-pool.ts";

export interface ContainersParts {
  engine: Engine;
  creation: Creation;
  operations: Operations;
  inventory: Inventory;
  moving: Moving;
  images: Images;
  slots: Slots;
  directories: SlotDirectories;
  sshCheck: SshCheck;
  gate: Gate;
  draining: Draining;
  warmPool: WarmPool;
  profile: Profile;
  log: Log;
}

/**
 * What DockHost does with containers. One container per user; one user's commands run one after another; a repeat of
 * an operation that succeeded executes nothing. Every method rejects with a DockHostError or an EngineError.
 */
export class Containers {
  readonly #parts: ContainersParts;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
  }

  /** The older dialect says by `portsFrom` where the search for a port triple begins. */
  async create(
    request: CommandRequest<"create-container">,
    context: OperationContext,
    portsFrom?: number,
  ): Promise<Container> {
    const { creation, images, profile } = this.#parts;
    const keys = authorizedKeys(request.sshPublicKeys);
    checkLimits(request.limits ?? {}, profile);
    images.check(request.image);
    return this.#change("create-container", request, context, (hash) =>
      creation.create({ request, keys, hash, portsFrom }, context),
    );
  }

  async start(request: CommandRequest<"start-container">, context: OperationContext): Promise<Container> {
    return this.#change("start-container", request, context, async () => {
      const owned = await this.#parts.inventory.requireStaying(request.username);
      context.progress("starting");
      await this.#startAndWait(owned, context);
      const container = await this.#current(owned.username);
      this.#parts.log.info({ username: owned.username, ports: container.ports }, "Container started, SSH answers");
      return container;
    });
  }

  async stop(request: CommandRequest<"stop-container">, context: OperationContext): Promise<Container> {
    return this.#change("stop-container", request, context, async () => {
      const { username, slot, containerId } = await this.#parts.inventory.requireStaying(request.username);
      await this.#remember(slot, { shouldRun: false, stoppedAt: new Date().toISOString() });
      failpoint("stop:wish-claimed");
      await this.#parts.engine.stop(containerId, STOP_GRACE_S);
      failpoint("stop:container-stopped");
      this.#parts.log.info({ username }, "Container stopped");
      return this.#current(username);
    });
  }

  async delete(request: CommandRequest<"delete-container">, context: OperationContext): Promise<DeletedData> {
    const { directories, inventory, moving, operations, slots, warmPool, log } = this.#parts;
    const remove = async (): Promise<DeletedData> => {
      await moving.settle(request.username);
      const owned = await inventory.find(request.username);
      if (!owned) return { existed: false, containerId: null, ports: null };
      const { username, slot, containerId, base } = owned;
      if (await directories.readClaim(slot)) await this.#markDeleting(slot);
      failpoint("delete:claimed");
      await slots.destroy(slot, containerId);
      warmPool.wake();
      log.info({ username, ports: portsOf(base) }, "Container deleted, its ports are free");
      return { existed: true, containerId, ports: portsOf(base) };
    };
    return operations.run("delete-container", request, context, remove, ({ containerId, ports }) =>
      Promise.resolve({ existed: containerId !== null, containerId, ports }),
    );
  }

  /** Effective at the next login, whether the container runs or not. */
  async setKeys(request: CommandRequest<"set-ssh-keys">, context: OperationContext): Promise<Container> {
    const keys = authorizedKeys(request.sshPublicKeys);
    return this.#change("set-ssh-keys", request, context, async () => {
      const { username, slot } = await this.#parts.inventory.requireStaying(request.username);
      if ((await this.#parts.directories.readClaim(slot))?.keysMounted !== true) throw keysAreFixed(username);
      await this.#parts.directories.writeKeys(slot, keys);
      this.#parts.log.info({ username, keys: keys.length }, "SSH keys replaced");
      return this.#current(username);
    });
  }

  /** That user's container, or all of this backend's. */
  async list({ username }: CommandRequest<"list-containers">): Promise<Container[]> {
    const { gate, inventory } = this.#parts;
    await gate.pass();
    return inventory.staying(username);
  }

  /** A draining backend refuses creates and serves the rest. */
  async setDraining({ draining }: CommandRequest<"set-draining">): Promise<{ draining: boolean }> {
    await this.#parts.draining.set(draining);
    this.#parts.warmPool.wake();
    this.#parts.log.info({ draining }, draining ? "Draining: creates are refused" : "Creates are accepted");
    return { draining };
  }

  #change(
    command: "create-container" | "start-container" | "stop-container" | "set-ssh-keys",
    request: { username: string; operationId?: string | undefined },
    context: OperationContext,
    work: (hash: string) => Promise<Container>,
  ): Promise<Container> {
    const { moving, operations } = this.#parts;
    const settled = async (hash: string): Promise<Container> => {
      await moving.settle(request.username);
      return work(hash);
    };
    return operations.run(command, request, context, settled, (earlier) => this.#same(request.username, earlier));
  }

  /** At its own ports, or at others where another process has taken one of them. */
  async #startAndWait(owned: Owned, context: OperationContext): Promise<void> {
    try {
      await this.#startInPlace(owned, context);
    } catch (error) {
      if (!(error instanceof EngineError && error.kind === "port-taken")) throw error;
      await this.#parts.moving.move(owned, context).catch(async (whyNot: unknown) => {
        throw await portConflict(owned.base, error, whyNot);
      });
    }
  }

  /** A start that fails leaves the wish as it was, so that recovery does not start what its user was told did not. */
  async #startInPlace(owned: Owned, context: OperationContext): Promise<void> {
    const { directories, slots, sshCheck } = this.#parts;
    const before = await directories.readClaim(owned.slot);
    await this.#remember(owned.slot, { shouldRun: true, stoppedAt: undefined });
    failpoint("start:wish-claimed");
    try {
      await slots.start(owned.containerId);
      failpoint("start:container-started");
      context.progress("waiting-for-ssh");
      const shown = await sshCheck.wait(owned.containerId, owned.base);
      failpoint("start:ssh-answered");
      await this.#remember(owned.slot, shown);
    } catch (error) {
      if (before) await this.#remember(owned.slot, { shouldRun: before.shouldRun, stoppedAt: before.stoppedAt });
      throw error;
    }
  }

  /** A full disk takes no mark, and a delete is what frees it: then a crash in its middle leaves it to its retry. */
  async #markDeleting(slot: string): Promise<void> {
    try {
      await this.#remember(slot, { deleting: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  async #remember(slot: string, change: Partial<Claim>): Promise<void> {
    const claim = await this.#parts.directories.readClaim(slot);
    if (!claim) throw new DockHostError("INTERNAL", `The record of slot ${slot} is missing; restart the backend.`);
    await this.#parts.directories.writeClaim(slot, { ...claim, ...change });
  }

  /** The container as it now is that an earlier operation was about; its user may have another one since. */
  async #same(username: string, earlier: Entry): Promise<Container> {
    const container = await this.#current(username);
    if (container.containerId === earlier.containerId || container.createdAt === earlier.createdAt) return container;
    throw new DockHostError("NOT_FOUND", `${username}'s container of that operation has been deleted since.`);
  }

  async #current(username: string): Promise<Container> {
    return this.#parts.inventory.view(await this.#parts.inventory.requireStaying(username));
  }
}

const keysAreFixed = (username: string): DockHostError =>
  new DockHostError(
    "CONFLICT",
    `${username}'s image read its keys once, when it was created; delete the container and create it with the new keys.`,
  );
