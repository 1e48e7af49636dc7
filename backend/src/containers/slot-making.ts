import { randomBytes } from "node:crypto";
import type { Limits } from "@dockhost/protocol";
import { EngineError, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { allEnded } from "./all-ended.ts";
import { limitsOf, specHash, type Profile } from "./container-spec.ts";
import type { EngineTrial } from "./engine-trial.ts";
import { DockHostError } from "./errors.ts";
import type { ShownHostKey } from "./host-key.ts";
import { newHostKeyPair, type HostKeyPair } from "./host-key-pair.ts";
import type { PresentImage } from "./images.ts";
import { slotName } from "./names.ts";
import { portsOf, type PortTriples } from "./port-triples.ts";
import type { PhaseListener, Progress, SlotBuilder, SlotOrder } from "./slot-builder.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import type { Slots } from "./slots.ts";
import type { SpareSlot, SpareSlots } from "./spare-slots.ts";
import type { SshCheck } from "./ssh-check.ts";

/** How many triples that the Engine refuses one create may meet before it gives up. */
const MAX_REFUSED_TRIPLES = 8;

/** A port triple, a directory and a container that runs and whose SSH answers. */
export interface Slot {
  slot: string;
  base: number;
  containerId: string;
  /** As it is on disk. */
  claim: Claim;
}

export interface SlotRequest {
  /** `keysMounted` and the host key are found out here. */
  claim: Omit<Claim, "keysMounted" | "hostKeyFingerprint" | "hostKey">;
  keys: readonly string[];
  image: PresentImage;
  limits: Limits;
  /** Where the search for a triple begins; undefined: at the range's first. */
  portsFrom?: number | undefined;
}

interface SlotMakingParts {
  engine: Engine;
  engineTrial: EngineTrial;
  builder: SlotBuilder;
  directories: SlotDirectories;
  triples: PortTriples;
  spares: SpareSlots;
  slots: Slots;
  sshCheck: SshCheck;
  profile: Profile;
  log: Log;
}

/** Makes slots, for a user or ahead of one. */
export class SlotMaking {
  readonly #parts: SlotMakingParts;

  constructor(parts: SlotMakingParts) {
    this.#parts = parts;
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
    const { slots, spares } = this.#parts;
    const slot = newSlot();
    return slots.whileUnderWay(slot, slotName(slot), async (isNow) => {
      const made = this.#buildSpare(slot, image, below, isNow);
      // Before its triple was tried: whoever comes meanwhile gets that one too.
      spares.add(slot, made);
      return (await made) !== undefined;
    });
  }

  async #makeOnce<T>(request: SlotRequest, onPhase: PhaseListener, finish: (slot: Slot) => Promise<T>): Promise<T> {
    const { log, slots, triples } = this.#parts;
    const slot = newSlot();
    return slots.whileUnderWay(slot, slotName(slot), async (isNow) => {
      onPhase("allocating-ports");
      const { base, spare } = await triples.lease(slot, request.portsFrom);
      failpoint("create:ports-leased");
      log.info({ username: request.claim.username, ports: portsOf(base) }, "Ports allocated");
      const claimed = spare === undefined ? undefined : await this.#claimSpare(spare, request, onPhase, finish);
      if (claimed) {
        triples.release(slot);
        return claimed.outcome;
      }
      return finish(await this.#makeAnew(slot, base, request, onPhase, isNow));
    });
  }

  async #makeAnew(
    slot: string,
    base: number,
    request: SlotRequest,
    onPhase: PhaseListener,
    isNow: (container: string) => void,
  ): Promise<Slot> {
    const { builder, directories } = this.#parts;
    const hostKey = this.#newHostKey(request.image);
    const keysMounted = builder.mountsKeys(request.image);
    const begun: Claim = { ...request.claim, keysMounted, ...hostKey?.shown };
    const fill = async (): Promise<void> => {
      await allEnded([directories.fill(slot, begun, request.keys), this.#give(slot, hostKey)]);
    };
    // By its id as soon as it has one: a rename whose reply was lost may have happened.
    const containerId = await this.#build({ ...request, slot, base }, fill, { onPhase, onMade: isNow });
    onPhase("waiting-for-ssh");
    const shown = await this.#firstAnswer(slot, containerId, base);
    failpoint("create:ssh-answered");
    const claim: Claim = { ...begun, ...shown };
    // Before its name: whoever is named has all that its reply tells, also after a crash in between.
    if (claim.hostKeyFingerprint !== begun.hostKeyFingerprint) await directories.writeClaim(slot, claim);
    failpoint("create:fingerprint-claimed");
    return { slot, base, containerId, claim };
  }

  /** Undefined where that slot does not serve the request, or nobody any more; it is gone then. */
  async #claimSpare<T>(
    slot: string,
    request: SlotRequest,
    onPhase: PhaseListener,
    finish: (slot: Slot) => Promise<T>,
  ): Promise<{ outcome: T } | undefined> {
    const { log, slots, spares } = this.#parts;
    const spare = await spares.take(slot);
    if (!spare) return undefined;
    try {
      return await slots.whileUnderWay(slot, spare.containerId, async () => {
        spares.drop(slot);
        if (await this.#serves(spare, request)) {
          onPhase("waiting-for-ssh");
          return { outcome: await finish(await this.#claim(spare, request)) };
        }
        await slots.destroy(slot, spare.containerId);
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

  async #claim({ slot, base, containerId, shown }: SpareSlot, request: SlotRequest): Promise<Slot> {
    const { sshCheck } = this.#parts;
    failpoint("spare:taken");
    const claim: Claim = { ...request.claim, keysMounted: true, ...shown };
    // It has answered before: that it still does is seen while the disk is waited for.
    await allEnded([this.#makeTheirs(slot, containerId, claim, request), sshCheck.wait(containerId, base)]);
    return { slot, base, containerId, claim };
  }

  /** Whoever finds the slot from here on finds that it is somebody's, and nobody's by name: it is never spare again. */
  async #makeTheirs(slot: string, containerId: string, claim: Claim, { keys, limits }: SlotRequest): Promise<void> {
    const { directories, engine, profile } = this.#parts;
    await directories.fill(slot, claim, keys);
    failpoint("spare:claimed");
    if (Object.keys(limits).length === 0) return;
    await engine.update(containerId, limitsOf(limits, profile));
    failpoint("spare:limited");
  }

  async #buildSpare(
    slot: string,
    image: PresentImage,
    below: number | undefined,
    isNow: (container: string) => void,
  ): Promise<SpareSlot | undefined> {
    const { engineTrial, profile, triples } = this.#parts;
    const base = await triples.leaseBelow(slot, below);
    if (base === undefined) return undefined;
    const order = { slot, base, image, limits: {}, keys: [] };
    const fill = () => this.#give(slot, this.#newHostKey(image));
    const containerId = await this.#build(order, fill, { onPhase: () => undefined, onMade: isNow });
    failpoint("spare:container-started");
    const shown = await this.#firstAnswer(slot, containerId, base);
    failpoint("spare:ssh-answered");
    const spec = specHash(image, profile, await engineTrial.abilities(image));
    return { slot, base, containerId, spec, shown };
  }

  /** Undefined where the container could not be given it, and makes its own. */
  #newHostKey(image: PresentImage): HostKeyPair | undefined {
    return this.#parts.builder.mountsKeys(image) ? newHostKeyPair() : undefined;
  }

  async #give(slot: string, hostKey: HostKeyPair | undefined): Promise<void> {
    if (hostKey) await this.#parts.directories.giveHostKey(slot, hostKey);
  }

  /** An image that knows nothing of a host key that is laid out shows another one. */
  async #firstAnswer(slot: string, containerId: string, base: number): Promise<ShownHostKey> {
    const shown = await this.#parts.sshCheck.wait(containerId, base);
    this.#parts.directories.takeHostKeyBack(slot);
    return shown;
  }

  /** A triple that the Engine finds taken is passed over for a while. */
  async #build(order: SlotOrder, fill: () => Promise<void>, progress: Progress): Promise<string> {
    const { builder, log, triples } = this.#parts;
    try {
      return await builder.build(order, fill, progress);
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
}

const newSlot = (): string => randomBytes(8).toString("hex");

const isPortTaken = (error: unknown): error is EngineError =>
  error instanceof EngineError && error.kind === "port-taken";

/** Somebody has stopped or removed it by hand, or it has died. */
function isDead(error: unknown): boolean {
  if (error instanceof EngineError) return error.kind === "not-found";
  return error instanceof DockHostError && (error.code === "START_FAILED" || error.code === "SSH_NOT_READY");
}
