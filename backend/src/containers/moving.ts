import { randomBytes } from "node:crypto";
import type { Container } from "@dockhost/protocol";
import type { Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import type { OperationContext } from "./creation.ts";
import { DockHostError } from "./errors.ts";
import type { Inventory } from "./inventory.ts";
import { LABELS, MOVED_PREFIX, slotName } from "./names.ts";
import { portsOf } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import type { SlotMaking } from "./slot-making.ts";
import type { Slots } from "./slots.ts";
import type { Owned } from "./views.ts";

interface MovingParts {
  engine: Engine;
  slots: Slots;
  slotMaking: SlotMaking;
  directories: SlotDirectories;
  inventory: Inventory;
  backendId: string;
  log: Log;
}

/**
 * Moves a stopped container, whose port another process has taken, to a free triple with all its files: an image is
 * committed from it, a container is made of that in a slot of its own, and the old one goes only after the new one
 * answers. The claims of both slots name each other, so that a move that was cut off is finished or undone: finished
 * once the old one's claim says that it is to go, undone before.
 */
export class Moving {
  readonly #parts: MovingParts;
  readonly #listeners = new Set<(container: Container) => void>();

  constructor(parts: MovingParts) {
    this.#parts = parts;
  }

  /** Hears of every container that has got another triple. */
  onMoved(listener: (container: Container) => void): void {
    this.#listeners.add(listener);
  }

  /** In the user's turn. Rejects with what kept the container from moving; it is as before then. */
  async move(owned: Owned, context: OperationContext): Promise<void> {
    const { directories, engine, slotMaking } = this.#parts;
    const claim = await this.#claimOf(owned);
    const image = MOVED_PREFIX + randomBytes(8).toString("hex");
    await directories.writeClaim(owned.slot, { ...claim, movingImage: image });
    failpoint("move:claimed");
    try {
      await context.outsideDeadline(engine.commit(owned.containerId, image));
      failpoint("move:image-committed");
      await slotMaking.make(
        await this.#successor(owned, claim, image),
        (phase) => context.progress(phase),
        () => Promise.resolve(),
      );
      failpoint("move:successor-answers");
      await directories.writeClaim(owned.slot, { ...claim, movingImage: image, deleting: true });
      failpoint("move:decided");
    } catch (error) {
      await this.#settleOrLeave(owned.username);
      throw error;
    }
    await this.settle(owned.username);
  }

  /** Brings a user's move that was begun to its end, where there is one. */
  async settle(username: string): Promise<void> {
    const { directories, engine, inventory } = this.#parts;
    const { from, to } = directories.moveOf(username);
    if (from === undefined && to === undefined) return;
    const named = await inventory.find(username);
    const oldStands = from !== undefined && named?.slot === from;
    const isDecided = !oldStands || directories.knownClaim(from)?.deleting === true;
    const isNamed = to !== undefined && named?.slot === to;
    const successor = isNamed ? named.containerId : to && (await engine.inspect(slotName(to)))?.id;
    if (to !== undefined && successor !== undefined && isDecided) {
      if (oldStands) await this.#removeOld(named);
      else if (from !== undefined) await this.#parts.slots.forget(from);
      await this.#finish(username, to, isNamed ? undefined : successor);
    } else {
      await this.#undo(username, from, to);
    }
  }

  /** A commit whose reply was lost may end after its move was undone: its image is on no claim. Nor is one without a name. */
  async sweepImages(): Promise<void> {
    const { backendId, directories, engine, log } = this.#parts;
    const images = await engine.imageNames(`${LABELS.backend}=${backendId}`);
    // Only now, since a move claims its image before it makes it.
    const claimed = directories.claimedImages();
    const isOfMove = (name: string): boolean => name.startsWith(MOVED_PREFIX) || isNameless(name);
    for (const image of images.filter((name) => isOfMove(name) && !claimed.has(name))) {
      // One that gets its name at this moment is not without it any more.
      if (isNameless(image) && directories.usersMoving().length > 0) continue;
      await engine.removeImage(image);
      log.info({ image }, "Removed an image that an unfinished move had left");
    }
  }

  async #removeOld({ slot, containerId }: Owned): Promise<void> {
    await this.#parts.slots.destroy(slot, containerId);
    failpoint("move:old-removed");
  }

  async #finish(username: string, to: string, unnamed: string | undefined): Promise<void> {
    const { directories, inventory, log, slots } = this.#parts;
    if (unnamed !== undefined) await slots.name(unnamed, username);
    failpoint("move:named");
    const claim = await directories.readClaim(to);
    if (claim) await directories.writeClaim(to, { ...claim, movedFrom: undefined });
    const owned = await inventory.find(username);
    if (!owned) return;
    log.info({ username, ports: portsOf(owned.base) }, "Container moved to other ports with its files");
    const container = await inventory.view(owned);
    for (const listener of this.#listeners) listener(container);
  }

  async #undo(username: string, from: string | undefined, to: string | undefined): Promise<void> {
    const { directories, engine, log, slots } = this.#parts;
    if (to !== undefined) await slots.destroy(to, slotName(to));
    const claim = from && (await directories.readClaim(from));
    if (from === undefined || !claim) return;
    if (claim.movingImage !== undefined) await engine.removeImage(claim.movingImage);
    await directories.writeClaim(from, { ...claim, movingImage: undefined, deleting: false });
    log.warn({ username }, "A move to other ports was undone; the container is as it was");
  }

  /** What cannot be settled now, since the Engine is away, recovery settles. */
  async #settleOrLeave(username: string): Promise<void> {
    try {
      await this.settle(username);
    } catch (error) {
      this.#parts.log.warn({ username, error }, "A move could not be undone yet; that is made good later");
    }
  }

  async #successor(owned: Owned, claim: Claim, reference: string) {
    const { directories, engine } = this.#parts;
    const image = await engine.image(reference);
    if (!image) throw new DockHostError("INTERNAL", "Docker has lost the image that was just made of the container.");
    return {
      claim: {
        ...claim,
        image: claim.image ?? owned.image,
        shouldRun: true,
        stoppedAt: undefined,
        ownImage: reference,
        movingImage: undefined,
        movedFrom: owned.slot,
      },
      keys: await directories.readKeys(owned.slot),
      image: { ...image, reference },
      limits: claim.limits ?? {},
    };
  }

  /** A commit takes the container's own files alone. */
  async #claimOf({ slot, containerId }: Owned): Promise<Claim> {
    const claim = await this.#parts.directories.readClaim(slot);
    if (!claim) throw new DockHostError("INTERNAL", "the backend has lost its record");
    const detail = await this.#parts.engine.inspect(containerId);
    if (detail?.hasVolumes) throw new DockHostError("CONFLICT", "some of its files lie in volumes");
    return claim;
  }
}

const isNameless = (image: string): boolean => image.startsWith("sha256:");
