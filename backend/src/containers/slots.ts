import { randomBytes } from "node:crypto";
import type { Limits, OperationPhase } from "@dockhost/protocol";
import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { containerSpec, type Profile, type SlotPlan } from "./container-spec.ts";
import type { EngineTrial } from "./engine-trial.ts";
import type { EngineTurns } from "./engine-turns.ts";
import { DockHostError } from "./errors.ts";
import type { PresentImage } from "./images.ts";
import { LABELS, slotName, userContainerName } from "./names.ts";
import { portsOf, type PortTriples } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";

/** How many triples that the Engine refuses one create may meet before it gives up. */
const MAX_REFUSED_TRIPLES = 8;

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

export interface SlotParts {
  engine: Engine;
  engineTrial: EngineTrial;
  engineTurns: EngineTurns;
  /** Those that are nobody's to sweep. */
  slotsUnderWay: Set<string>;
  directories: SlotDirectories;
  triples: PortTriples;
  backendId: string;
  profile: Profile;
  /** Whether the Engine sees this machine's directories. */
  engineIsLocal: boolean;
  log: Log;
}

/**
 * Makes, names and destroys slots. A slot under way is nobody's to sweep; one that is neither under way nor named for
 * a user is destroyed by recovery, so a crash at any point leaves nothing half made.
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
   * Makes a slot and lets `finish` bring it to its name; whatever fails on the way, nothing of it remains. A triple
   * that turns out to be taken between check and start means the next one.
   */
  async make<T>(
    request: SlotRequest,
    onPhase: (phase: OperationPhase) => void,
    finish: (slot: Slot) => Promise<T>,
  ): Promise<T> {
    const slot = randomBytes(8).toString("hex");
    this.#parts.slotsUnderWay.add(slot);
    let container = slotName(slot);
    try {
      const built = await this.#build(slot, request, onPhase);
      // From here on by its id: a rename whose reply was lost may have happened.
      container = built.containerId;
      return await finish(built);
    } catch (error) {
      await this.#undo(slot, container);
      throw error;
    } finally {
      this.#parts.slotsUnderWay.delete(slot);
    }
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

  async #build(slot: string, request: SlotRequest, onPhase: (phase: OperationPhase) => void): Promise<Slot> {
    for (let attempt = 1; ; attempt += 1) {
      onPhase("allocating-ports");
      const base = await this.#parts.triples.lease(slot, request.portsFrom);
      failpoint("create:ports-leased");
      this.#parts.log.info({ username: request.claim.username, ports: portsOf(base) }, "Ports allocated");
      try {
        return await this.#buildAt(base, slot, request, onPhase);
      } catch (error) {
        if (!(error instanceof EngineError && error.kind === "port-taken")) throw error;
        this.#parts.triples.refuse(base);
        this.#parts.log.warn(
          { base, port: error.port },
          "Port already in use: taken between check and start; trying the next triple",
        );
        if (attempt === MAX_REFUSED_TRIPLES) throw error;
        await this.#parts.engine.remove(slotName(slot));
      }
    }
  }

  async #buildAt(
    base: number,
    slot: string,
    request: SlotRequest,
    onPhase: (phase: OperationPhase) => void,
  ): Promise<Slot> {
    const { engine, engineTrial, engineTurns, directories, backendId, profile } = this.#parts;
    const abilities = await engineTrial.abilities(request.image);
    const { keys, environment } = this.#keyDelivery(slot, request);
    const claim: Claim = { ...request.claim, keysMounted: keys !== undefined };
    await directories.make(slot);
    failpoint("create:directory-made");
    const filled = directories.fill(slot, claim, request.keys);
    const { image, limits } = request;
    const spec = containerSpec({ slot, backendId, image, base, limits, keys, environment }, profile, abilities);
    const made = engineTurns.run(async () => {
      onPhase("creating");
      const id = await engine.create(slotName(slot), spec);
      failpoint("create:container-made");
      // Nothing runs before its claim and its keys are on disk.
      await filled;
      failpoint("create:claimed");
      onPhase("starting");
      await engine.start(id).catch((error: unknown) => {
        throw startFailure(error);
      });
      failpoint("create:container-started");
      return id;
    });
    // Whichever fails, both have ended: nothing is written any more where the slot is undone.
    await Promise.allSettled([filled, made]);
    return { slot, base, containerId: await made, claim };
  }

  /** A directory that sshd reads, where the image declares one and the Engine can see ours; else the environment. */
  #keyDelivery(slot: string, request: SlotRequest): Pick<SlotPlan, "keys" | "environment"> {
    // An image built on ours takes the label back by setting it to nothing.
    const target = request.image.labels[LABELS.keys] ?? "";
    if (target !== "" && this.#parts.engineIsLocal) {
      return { keys: { source: this.#parts.directories.keys(slot), target }, environment: {} };
    }
    return { keys: undefined, environment: { SSH_PUB_KEY: request.keys.join("\n") } };
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

function startFailure(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.kind !== "other") return error;
  return new DockHostError("START_FAILED", `Docker could not start the container: ${error.message.trim()}`, {
    cause: error,
  });
}

const nameTaken = (username: string, cause: unknown): DockHostError =>
  new DockHostError(
    "CONFLICT",
    `A container that is not this backend's holds the name ${userContainerName(username)}; rename or remove it first.`,
    { cause },
  );
