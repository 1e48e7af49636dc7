import type { ContainerEvent, ContainerSummary, Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { bearsIdOf, LABELS, type Identified } from "./names.ts";
import type { SlotsUnderWay } from "./slots-under-way.ts";
import { isRunning, type Exit } from "./views.ts";

/** Several things that happen to one container at once, as at its start, are one reason to look, ms. */
const GATHER_MS = 100;
/** What the Engine gives a container; anything else is a name. */
const ID = /^[0-9a-f]{64}$/;

/** A container as the Engine told it last; how it ended only where it does not run. */
export interface KnownContainer extends ContainerSummary {
  exit?: Exit | undefined;
}

/**
 * This backend's containers in memory, so that reading them costs the Engine nothing. What is held here is only ever
 * what the Engine has said: by a list at start and now and then, and by a look at each container that something happened
 * to, whether the Engine told of it or a call of ours changed it. Who reads before that look was taken waits for it.
 */
export class KnownContainers {
  readonly #engine: Engine;
  readonly #isOurs: (container: Pick<ContainerSummary, "labels">) => boolean;
  readonly #slotsUnderWay: SlotsUnderWay;
  readonly #log: Log;
  readonly #known = new Map<string, KnownContainer>();
  /** What events have told of containers that were not looked at yet, by id. */
  readonly #told = new Map<string, Identified>();
  /** Ids to which something happened since they were looked at. */
  readonly #doubtful = new Set<string>();
  /** Those under way, each with the id that it is at. */
  readonly #looks = new Map<Promise<void>, string>();
  /** Orders what the Engine was asked: by id, when the newest look that was answered was begun. */
  readonly #lookedAt = new Map<string, number>();
  #listedAt = 0;
  #clock = 0;
  #gathering: NodeJS.Timeout | undefined;

  constructor(engine: Engine, backendId: string, slotsUnderWay: SlotsUnderWay, log: Log) {
    this.#engine = engine;
    this.#isOurs = (container) => bearsIdOf(container, backendId);
    this.#slotsUnderWay = slotsUnderWay;
    this.#log = log;
  }

  /** Asks the Engine for everything, which closes every gap; answers other backends' containers too, which are not kept. */
  async list(): Promise<readonly ContainerSummary[]> {
    const at = ++this.#clock;
    const listed = await this.#engine.list([LABELS.managed]);
    if (at > this.#listedAt) this.#take(listed.filter(this.#isOurs), at);
    return listed;
  }

  /** Everything as it is now. Rejects with an EngineError where something happened and the Engine does not tell what. */
  async all(): Promise<KnownContainer[]> {
    return this.those(() => true);
  }

  /** As `all`, but only what `concerns` the reader, who does not wait for what happens to others; one that nothing is known of may. */
  async those(concerns: (container: Identified) => boolean): Promise<KnownContainer[]> {
    this.#lookAtDoubtful();
    const mayConcern = (id: string): boolean => {
      const known = this.#known.get(id) ?? this.#told.get(id);
      return known === undefined || concerns(known);
    };
    await Promise.all([...this.#looks].filter(([, id]) => mayConcern(id)).map(([look]) => look));
    return this.current.filter(concerns);
  }

  /** As it was seen last, whatever has happened since. */
  get current(): KnownContainer[] {
    return [...this.#known.values()];
  }

  /**
   * Something happened to that container; of one that is not known by name its events will tell. One under way is
   * looked at when that is done.
   */
  doubt(idOrName: string): void {
    if (this.#slotsUnderWay.hasContainer(idOrName)) return;
    const id = ID.test(idOrName) ? idOrName : this.#idOf(idOrName);
    if (id === undefined) return;
    this.#doubtful.add(id);
    this.#gathering ??= setTimeout(() => this.#lookAround(), GATHER_MS).unref();
  }

  /** As `doubt`, of what the Engine tells. */
  heed({ action, id, name, labels }: ContainerEvent): void {
    if (!this.#isOurs({ labels })) return;
    if (action === "destroy") this.#told.delete(id);
    else if (!this.#known.has(id)) this.#told.set(id, { name, labels });
    if (!this.#slotsUnderWay.has(labels[LABELS.slot] ?? "")) this.doubt(id);
  }

  #take(listed: readonly ContainerSummary[], at: number): void {
    this.#listedAt = at;
    // What was looked at after the list was asked for is newer than it, and an answer still to come to an earlier look older.
    for (const [id, lookedAt] of this.#lookedAt) if (lookedAt < at) this.#lookedAt.delete(id);
    const ids = new Set(listed.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id) && !this.#lookedAt.has(id)) this.#known.delete(id);
    for (const id of this.#told.keys()) if (!ids.has(id)) this.#told.delete(id);
    for (const summary of listed) if (!this.#lookedAt.has(summary.id)) this.#takeOne(summary);
  }

  /** A list does not tell how a container ended. */
  #takeOne(summary: ContainerSummary): void {
    const before = this.#known.get(summary.id);
    const exit = before?.state === summary.state ? before.exit : undefined;
    this.#told.delete(summary.id);
    this.#known.set(summary.id, { ...summary, exit });
    if (!isRunning(summary) && !exit) this.doubt(summary.id);
  }

  #lookAround(): void {
    this.#gathering = undefined;
    this.all().catch((error: unknown) =>
      this.#log.debug({ error }, "A container is looked at again when it is asked for"),
    );
  }

  #lookAtDoubtful(): void {
    for (const id of this.#doubtful) {
      const look: Promise<void> = this.#look(id).finally(() => this.#looks.delete(look));
      // Whoever reads hears of its failure; nobody may be reading.
      look.catch(() => undefined);
      this.#looks.set(look, id);
    }
    this.#doubtful.clear();
  }

  async #look(id: string): Promise<void> {
    const at = ++this.#clock;
    try {
      const detail = await this.#engine.inspect(id);
      // Whoever waits for this look has it, also where a later one was begun: only what was answered is newer.
      if (at < Math.max(this.#listedAt, this.#lookedAt.get(id) ?? 0)) return;
      this.#lookedAt.set(id, at);
      this.#told.delete(id);
      if (detail) this.#known.set(id, { ...detail, exit: isRunning(detail) ? undefined : detail });
      else this.#known.delete(id);
    } catch (error) {
      this.#doubtful.add(id);
      throw error;
    }
  }

  #idOf(name: string): string | undefined {
    return this.current.find((one) => one.name === name)?.id;
  }
}
