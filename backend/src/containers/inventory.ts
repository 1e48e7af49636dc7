import type { Container } from "@dockhost/protocol";
import type { ContainerSummary, Engine } from "../engine/engine.ts";
import { LABELS, ownership, userContainerName } from "./names.ts";
import type { SlotDirectories } from "./slot-directories.ts";
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
    return ours.flatMap((summary) => this.#ownedOf(summary) ?? []);
  }

  async all(): Promise<Container[]> {
    return Promise.all((await this.owned()).map((owned) => this.view(owned)));
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

  #ownedOf(summary: ContainerSummary): Owned | undefined {
    const whose = ownership(summary, this.#backendId);
    if (whose.kind !== "claimed") return undefined;
    const { id, state, image, createdAt } = summary;
    const { username, slot, base } = whose;
    return { containerId: id, username, slot, base, state, image, createdAt };
  }
}
