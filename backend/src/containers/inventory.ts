import type { Container } from "@dockhost/protocol";
import type { Engine } from "../engine/engine.ts";
import { DockHostError } from "./errors.ts";
import type { KnownContainer, KnownContainers } from "./known-containers.ts";
import { ownership, userContainerName, type Identified } from "./names.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import { containerView, isRunning, type Owned } from "./views.ts";

/**
 * Reads which containers of this backend there are: Docker is the record, claims say the rest. What is told is read from
 * memory; what a command is about to change is looked at.
 */
export class Inventory {
  readonly #engine: Engine;
  readonly #known: KnownContainers;
  readonly #directories: SlotDirectories;
  readonly #backendId: string;

  constructor(engine: Engine, known: KnownContainers, directories: SlotDirectories, backendId: string) {
    this.#engine = engine;
    this.#known = known;
    this.#directories = directories;
    this.#backendId = backendId;
  }

  /** The users' containers, in any state, as they were seen last, without waiting for an Engine that is slow to tell what has happened since. */
  get ownedLast(): Owned[] {
    return this.#ownedAmong(this.#known.current);
  }

  /** The containers of `username`, or of all, but for those whose removal was begun: they have no way back. */
  async staying(username?: string): Promise<Container[]> {
    const known = await this.#known.those((one) => username === undefined || this.#mayBeOf(one, username));
    const owned = this.#ownedAmong(known).filter((one) => username === undefined || one.username === username);
    const claims = await Promise.all(owned.map(({ slot }) => this.#directories.readClaim(slot)));
    const staying = owned.filter((_, index) => !isLeaving(claims[index]));
    return Promise.all(staying.map((one) => this.view(one)));
  }

  /** As `find`, where its removal has not been begun. */
  async findStaying(username: string): Promise<Owned | undefined> {
    const owned = await this.find(username);
    return owned && !isLeaving(await this.#directories.readClaim(owned.slot)) ? owned : undefined;
  }

  /** Throws NOT_FOUND where there is none that stays. */
  async requireStaying(username: string): Promise<Owned> {
    const owned = await this.findStaying(username);
    if (owned) return owned;
    throw new DockHostError("NOT_FOUND", `${username} has no container on this backend; create one first.`);
  }

  /** That user's container; undefined where there is none, or where its name is a stranger's. */
  async find(username: string): Promise<Owned | undefined> {
    const detail = await this.#engine.inspect(userContainerName(username));
    return detail && this.#ownedOf({ ...detail, exit: isRunning(detail) ? undefined : detail });
  }

  /** As `find`, but one that nothing is known of yet is not found: who makes another learns of it by its name. */
  async findKnown(username: string): Promise<Owned | undefined> {
    const known = await this.#known.those((one) => this.#mayBeOf(one, username));
    return known.length === 0 ? undefined : this.find(username);
  }

  async view(owned: Owned): Promise<Container> {
    return containerView(owned, await this.#directories.readClaim(owned.slot));
  }

  /** One that has no user's name yet is on its way to whom its claim names. */
  #mayBeOf(container: Identified, username: string): boolean {
    const whose = ownership(container, this.#backendId);
    if (whose.kind === "foreign") return false;
    const theirs = whose.kind === "claimed" ? whose.username : this.#directories.knownClaim(whose.slot)?.username;
    return theirs === username;
  }

  #ownedAmong(containers: readonly KnownContainer[]): Owned[] {
    const named = containers.flatMap((container) => this.#ownedOf(container) ?? []);
    const slots = new Set(named.map(({ slot }) => slot));
    return [...named, ...containers.flatMap((container) => this.#arrivingOf(container, slots) ?? [])];
  }

  /** One that has moved and does not have its user's name yet, while its predecessor is gone already. */
  #arrivingOf(container: KnownContainer, slots: ReadonlySet<string>): Owned | undefined {
    const whose = ownership(container, this.#backendId);
    if (whose.kind !== "unclaimed") return undefined;
    const claim = this.#directories.knownClaim(whose.slot);
    if (claim?.movedFrom === undefined || slots.has(claim.movedFrom)) return undefined;
    return this.#ownedOf({ ...container, name: userContainerName(claim.username) });
  }

  #ownedOf(container: KnownContainer): Owned | undefined {
    const whose = ownership(container, this.#backendId);
    if (whose.kind !== "claimed") return undefined;
    const { id, state, image, createdAt, exit } = container;
    const { username, slot, base } = whose;
    return { containerId: id, username, slot, base, state, image, createdAt, exit };
  }
}

/** One that moves is its user's until its successor is. */
const isLeaving = (claim: Claim | undefined): boolean => claim?.deleting === true && claim.movingImage === undefined;
