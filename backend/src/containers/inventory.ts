import type { Container } from "@dockhost/protocol";
import type { ContainerSummary, Engine } from "../engine/engine.ts";
import { LABELS, ownership, userContainerName } from "./names.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import { containerView, isRunning, type Owned } from "./views.ts";

/** Reads which containers of this backend there are: Docker is the record, claims say the rest. */
export class Inventory {
  readonly #engine: Engine;
  readonly #directories: SlotDirectories;
  readonly #backendId: string;

  constructor(engine: Engine, directories: SlotDirectories, backendId: string) {
    this.#engine = engine;
    this.#directories = directories;
    this.#backendId = backendId;
  }

  /** The users' containers, in any state. */
  async owned(): Promise<Owned[]> {
    const ours = await this.#engine.list([LABELS.managed, `${LABELS.backend}=${this.#backendId}`]);
    const named = ours.flatMap((summary) => this.#ownedOf(summary) ?? []);
    const slots = new Set(named.map(({ slot }) => slot));
    return [...named, ...ours.flatMap((summary) => this.#arrivingOf(summary, slots) ?? [])];
  }

  /** The containers of `username`, or of all, but for those whose removal was begun: they have no way back. */
  async staying(username?: string): Promise<Container[]> {
    const owned = (await this.owned()).filter((one) => username === undefined || one.username === username);
    const claims = await Promise.all(owned.map(({ slot }) => this.#directories.readClaim(slot)));
    const staying = owned.filter((_, index) => !isLeaving(claims[index]));
    return Promise.all(staying.map((one) => this.view(one)));
  }

  /** As `find`, where its removal has not been begun. */
  async findStaying(username: string): Promise<Owned | undefined> {
    const owned = await this.find(username);
    return owned && !isLeaving(await this.#directories.readClaim(owned.slot)) ? owned : undefined;
  }

  /** That user's container; undefined where there is none, or where its name is a stranger's. */
  async find(username: string): Promise<Owned | undefined> {
    const detail = await this.#engine.inspect(userContainerName(username));
    return detail && this.#ownedOf(detail);
  }

  async view(owned: Owned): Promise<Container> {
    const claim = await this.#directories.readClaim(owned.slot);
    // Only an inspection tells how a container ended.
    const exit = isRunning(owned) ? undefined : await this.#engine.inspect(owned.containerId);
    return containerView(owned, claim, exit);
  }

  /** One that has moved and does not have its user's name yet, while its predecessor is gone already. */
  #arrivingOf(summary: ContainerSummary, slots: ReadonlySet<string>): Owned | undefined {
    const whose = ownership(summary, this.#backendId);
    if (whose.kind !== "unclaimed") return undefined;
    const claim = this.#directories.knownClaim(whose.slot);
    if (claim?.movedFrom === undefined || slots.has(claim.movedFrom)) return undefined;
    return this.#ownedOf({ ...summary, name: userContainerName(claim.username) });
  }

  #ownedOf(summary: ContainerSummary): Owned | undefined {
    const whose = ownership(summary, this.#backendId);
    if (whose.kind !== "claimed") return undefined;
    const { id, state, image, createdAt } = summary;
    const { username, slot, base } = whose;
    return { containerId: id, username, slot, base, state, image, createdAt };
  }
}

/** One that moves is its user's until its successor is. */
const isLeaving = (claim: Claim | undefined): boolean => claim?.deleting === true && claim.movingImage === undefined;
