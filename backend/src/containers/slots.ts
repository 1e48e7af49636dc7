import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { DockHostError } from "./errors.ts";
import type { KnownContainers } from "./known-containers.ts";
import type { LeftDirectories } from "./left-directories.ts";
import { slotName, userContainerName } from "./names.ts";
import type { PortTriples } from "./port-triples.ts";
import type { SlotDirectories } from "./slot-directories.ts";
import type { SlotsUnderWay } from "./slots-under-way.ts";

/** Between TERM and KILL, s. */
export const STOP_GRACE_S = 10;

interface SlotsParts {
  engine: Engine;
  engineTurns: EngineTurns;
  directories: SlotDirectories;
  triples: PortTriples;
  known: KnownContainers;
  slotsUnderWay: SlotsUnderWay;
  leftDirectories: LeftDirectories;
  log: Log;
}

/**
 * Names, starts and destroys slots: a port triple, a directory and a container each. A slot under way is nobody's to
 * sweep; one that is neither under way, nor spare, nor named for a user is destroyed by recovery, so a crash at any
 * point leaves nothing half made.
 */
export class Slots {
  readonly #parts: SlotsParts;

  constructor(parts: SlotsParts) {
    this.#parts = parts;
  }

  isUnderWay(slot: string): boolean {
    return this.#parts.slotsUnderWay.has(slot);
  }

  get underWay(): ReadonlySet<string> {
    return this.#parts.slotsUnderWay.slots;
  }

  /**
   * Does `work` on a slot that is nobody's to sweep meanwhile, and whose container is `container`, or what `work` says
   * that it is now; where `work` fails, nothing of the slot remains.
   */
  async whileUnderWay<T>(
    slot: string,
    container: string,
    work: (isNow: (container: string) => void) => Promise<T>,
  ): Promise<T> {
    const { known, slotsUnderWay } = this.#parts;
    let current = container;
    const isNow = (containerId: string): void => {
      current = containerId;
      slotsUnderWay.add(slot, containerId);
    };
    isNow(container);
    try {
      return await work(isNow);
    } catch (error) {
      await this.#undo(slot, current);
      throw error;
    } finally {
      slotsUnderWay.delete(slot);
      known.doubt(current);
    }
  }

  /** Gives the container its user's name, which is the commit: named means complete. */
  async name(containerId: string, username: string): Promise<void> {
    try {
      await this.#parts.engine.rename(containerId, userContainerName(username));
    } catch (error) {
      if (error instanceof EngineError && error.kind === "name-taken") throw nameTaken(username, error);
      throw error;
    }
  }

  /** Starts an existing container when its turn comes. */
  async start(containerId: string): Promise<void> {
    const { engine, engineTurns, leftDirectories } = this.#parts;
    const start = (): Promise<void> => engineTurns.run(() => engine.start(containerId));
    try {
      await start();
    } catch (error) {
      const directory = error instanceof EngineError ? error.directory : undefined;
      if (directory === undefined || !(await leftDirectories.remove(containerId, directory))) throw error;
      await start();
    }
  }

  /** Removes container, directory and hold on the triple, in this order. What is gone already is no failure. */
  async destroy(slot: string, containerIdOrName: string): Promise<void> {
    await this.#parts.engineTurns.run(() => this.#parts.engine.remove(containerIdOrName));
    failpoint("delete:container-removed");
    await this.forget(slot);
  }

  /** Removes what a container that is gone has left. */
  async forget(slot: string): Promise<void> {
    const { directories, engine } = this.#parts;
    const ownImage = (await directories.readClaim(slot))?.ownImage;
    if (ownImage !== undefined) await engine.removeImage(ownImage);
    await directories.remove(slot);
    failpoint("delete:directory-removed");
    this.#parts.triples.release(slot);
  }

  /** Removes what is under way, whose makers then fail and find nothing left to undo. */
  async abandonUnderWay(): Promise<void> {
    await Promise.allSettled([...this.underWay].map((slot) => this.#parts.engine.remove(slotName(slot))));
  }

  /** What cannot be removed now, since the Engine is away, is swept when it is back. */
  async #undo(slot: string, container: string): Promise<void> {
    const { directories } = this.#parts;
    try {
      // It may bear its user's name already, where only the reply was lost; whoever finds it must know.
      const claim = await directories.readClaim(slot);
      if (claim) await directories.writeClaim(slot, { ...claim, deleting: true }).catch(() => undefined);
      await this.destroy(slot, container);
    } catch (error) {
      this.#parts.log.warn({ slot, error }, "A container half made could not be removed yet; it is swept later");
    }
  }
}

const nameTaken = (username: string, cause: unknown): DockHostError =>
  new DockHostError(
    "CONFLICT",
    `A container that is not this backend's holds the name ${userContainerName(username)}; rename or remove it first.`,
    { cause },
  );
