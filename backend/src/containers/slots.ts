import { randomBytes } from "node:crypto";
import type { Limits, OperationPhase } from "@dockhost/protocol";
import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { limitsOf, specHash, type Profile } from "./container-spec.ts";
import type { EngineTrial } from "./engine-trial.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { DockHostError } from "./errors.ts";
import type { PresentImage } from "./images.ts";
import { slotName, userContainerName } from "./names.ts";
import { portsOf, type PortTriples } from "./port-triples.ts";
import type { SlotBuilder, SlotOrder } from "./slot-builder.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import type { SpareSlot, SpareSlots } from "./spare-slots.ts";
import type { SshCheck } from "./ssh-check.ts";

/** How many triples that the Engine refuses one create may meet before it gives up. */
const MAX_REFUSED_TRIPLES = 8;

/** Between TERM and KILL, s. */
export const STOP_GRACE_S = 10;

/** A port triple, a directory and a container, made together. */
export interface Slot {
  slot: string;
  base: number;
  containerId: string;
  claim: Claim;
}

export interface SlotRequest {
  /** `keysMounted` is decided here. */
  claim: Omit<Claim, "keysMounted">;
  keys: readonly string[];
  image: PresentImage;
  limits: Limits;
  /** Where the search for a triple begins; undefined: at the range's first. */
  portsFrom?: number | undefined;
}

type PhaseListener = (phase: OperationPhase) => void;

export interface SlotParts {
  engine: Engine;
  engineTrial: EngineTrial;
  engineTurns: EngineTurns;
  builder: SlotBuilder;
  directories: SlotDirectories;
  triples: PortTriples;
  spares: SpareSlots;
  sshCheck: SshCheck;
  /** Those that are nobody's to sweep. */
  slotsUnderWay: Set<string>;
  profile: Profile;
  log: Log;
}

/**
 * Makes, names and destroys slots. A slot under way is nobody's to sweep; one that is neither under way, nor spare, nor
 * named for a user is destroyed by recovery, so a crash at any point leaves nothing half made.
 */
export class Slots {
  readonly #parts: SlotParts;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  isUnderWay(slot: string): boolean {
    return this.#parts.slotsUnderWay.has(slot);
  }

  get underWay(): ReadonlySet<string> {
    return new Set(this.#parts.slotsUnderWay);
  }

  /**
   * Claims the spare slot at the triple whose turn it is, or makes a slot there, and lets `finish` bring it to its name;
   * whatever fails on the way, nothing of it remains. A triple that turns out to be taken between check and start means
   * the next one.
   */
  async make<T>(request: SlotRequest, onPhase: PhaseListener, finish: (slot: Slot) => Promise<T>): Promise<T> {
    for (let refused = 1; ; refused += 1) {
      try {
        return await this.#makeOnce(request, onPhase, finish);
      } catch (error) {
        if (!isPortTaken(error) || refused === MAX_REFUSED_TRIPLES) throw error;
      }
    }
  }

  /**
   * Makes a slot ahead at the lowest free triple, which then stands among the spares; or at none, where no triple lower
   * than `below` is free. Answers whether it made one.
   */
  async makeSpare(image: PresentImage, below?: number): Promise<boolean> {
    const { spares, triples } = this.#parts;
    const slot = newSlot();
    return this.#underWay(slot, slotName(slot), async () => {
      const base = await triples.leaseBelow(slot, below);
      if (base === undefined) return false;
      const made = this.#buildSpare(slot, base, image);
      spares.add(slot, made);
      await made;
      return true;
    });
  }

  /** Gives the container its user's name, which is the commit: named means complete. */
  async name(slot: Pick<Slot, "containerId">, username: string): Promise<void> {
    try {
      await this.#parts.engine.rename(slot.containerId, userContainerName(username));
    } catch (error) {
      if (error instanceof EngineError && error.kind === "name-taken") throw nameTaken(username, error);
      throw error;
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

  /** Starts an existing container when its turn comes. */
  async start(containerId: string): Promise<void> {
    await this.#parts.engineTurns.run(() => this.#parts.engine.start(containerId));
  }

  /** Removes what is under way, whose makers then fail and find nothing left to undo. */
  async abandonUnderWay(): Promise<void> {
    await Promise.allSettled([...this.#parts.slotsUnderWay].map((slot) => this.#parts.engine.remove(slotName(slot))));
  }

  async #makeOnce<T>(request: SlotRequest, onPhase: PhaseListener, finish: (slot: Slot) => Promise<T>): Promise<T> {
    const { builder, directories, log, triples } = this.#parts;
    const slot = newSlot();
    return this.#underWay(slot, slotName(slot), async (isNow) => {
      onPhase("allocating-ports");
      const { base, spare } = await triples.lease(slot, request.portsFrom);
      failpoint("create:ports-leased");
      log.info({ username: request.claim.username, ports: portsOf(base) }, "Ports allocated");
      const claimed = spare === undefined ? undefined : await this.#claimSpare(spare, request, finish);
      if (claimed) {
        triples.release(slot);
        return claimed.outcome;
      }
      const claim: Claim = { ...request.claim, keysMounted: builder.mountsKeys(request.image) };
      const fill = () => directories.fill(slot, claim, request.keys);
      const containerId = await this.#build({ ...request, slot, base }, fill, onPhase);
      // From here on by its id: a rename whose reply was lost may have happened.
      isNow(containerId);
      return finish({ slot, base, containerId, claim });
    });
  }

  /** Undefined where that slot does not serve the request, or nobody any more; it is gone then. */
  async #claimSpare<T>(
    slot: string,
    request: SlotRequest,
    finish: (slot: Slot) => Promise<T>,
  ): Promise<{ outcome: T } | undefined> {
    const { log, spares } = this.#parts;
    const spare = await spares.take(slot);
    if (!spare) return undefined;
    try {
      return await this.#underWay(slot, spare.containerId, async () => {
        spares.drop(slot);
        if (await this.#serves(spare, request)) return { outcome: await finish(await this.#claim(spare, request)) };
        await this.destroy(slot, spare.containerId);
        return undefined;
      });
    } catch (error) {
      if (!isDead(error)) throw error;
      log.warn({ slot, error }, "A container that was made ahead does not answer; another one is made");
      return undefined;
    }
  }

  /** What Docker limits by a quota is decided when a container is made. */
  async #serves(spare: SpareSlot, { image, limits }: SlotRequest): Promise<boolean> {
    const { engineTrial, profile } = this.#parts;
    const spec = specHash(image, profile, await engineTrial.abilities(image));
    return spare.spec === spec && limits.diskMiB === undefined;
  }

  /** Whoever finds the slot from here on finds that it is somebody's, and nobody's by name: it is never spare again. */
  async #claim({ slot, base, containerId, hostKeyFingerprint }: SpareSlot, request: SlotRequest): Promise<Slot> {
    const { directories, engine, profile } = this.#parts;
    failpoint("spare:taken");
    const claim: Claim = { ...request.claim, keysMounted: true, hostKeyFingerprint };
    await directories.fill(slot, claim, request.keys);
    failpoint("spare:claimed");
    if (Object.keys(request.limits).length > 0) {
      await engine.update(containerId, limitsOf(request.limits, profile));
      failpoint("spare:limited");
    }
    return { slot, base, containerId, claim };
  }

  async #buildSpare(slot: string, base: number, image: PresentImage): Promise<SpareSlot> {
    const { engineTrial, profile, sshCheck } = this.#parts;
    const order = { slot, base, image, limits: {}, keys: [] };
    const containerId = await this.#build(
      order,
      () => Promise.resolve(),
      () => undefined,
    );
    failpoint("spare:container-started");
    const hostKeyFingerprint = await sshCheck.wait(containerId, base);
    failpoint("spare:ssh-answered");
    const spec = specHash(image, profile, await engineTrial.abilities(image));
    return { slot, base, containerId, spec, hostKeyFingerprint };
  }

  /** A triple that the Engine finds taken is passed over for a while. */
  async #build(order: SlotOrder, fill: () => Promise<void>, onPhase: PhaseListener): Promise<string> {
    const { builder, log, triples } = this.#parts;
    try {
      return await builder.build(order, fill, onPhase);
    } catch (error) {
      if (!isPortTaken(error)) throw error;
      triples.refuse(order.base);
      log.warn(
        { base: order.base, port: error.port },
        "Port already in use: taken between check and start; trying the next triple",
      );
      throw error;
    }
  }

  /**
   * Does `work` on a slot that is nobody's to sweep meanwhile, and whose container is `container`, or what `work` says
   * that it is now; where `work` fails, nothing of the slot remains.
   */
  async #underWay<T>(
    slot: string,
    container: string,
    work: (isNow: (container: string) => void) => Promise<T>,
  ): Promise<T> {
    let toUndo = container;
    this.#parts.slotsUnderWay.add(slot);
    try {
      return await work((containerId) => (toUndo = containerId));
    } catch (error) {
      await this.#undo(slot, toUndo);
      throw error;
    } finally {
      this.#parts.slotsUnderWay.delete(slot);
    }
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

const newSlot = (): string => randomBytes(8).toString("hex");

const isPortTaken = (error: unknown): error is EngineError =>
  error instanceof EngineError && error.kind === "port-taken";

/** Somebody has stopped or removed it by hand, or it has died. */
function isDead(error: unknown): boolean {
  if (error instanceof EngineError) return error.kind === "not-found";
  return error instanceof DockHostError && (error.code === "START_FAILED" || error.code === "SSH_NOT_READY");
}

const nameTaken = (username: string, cause: unknown): DockHostError =>
  new DockHostError(
    "CONFLICT",
    `A container that is not this backend's holds the name ${userContainerName(username)}; rename or remove it first.`,
    { cause },
  );
