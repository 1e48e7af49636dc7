import { setTimeout as delay } from "node:timers/promises";
import type { ContainerSummary } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { hasPlenty, type HostResources } from "./capacity.ts";
import { specHash, type Profile } from "./container-spec.ts";
import type { Draining } from "./draining.ts";
import type { EngineTrial } from "./engine-trial.ts";
import type { Gate } from "./gate.ts";
import type { Images, PresentImage } from "./images.ts";
import type { Inventory } from "./inventory.ts";
import { LABELS, slotName } from "./names.ts";
import type { PortTriples } from "./port-triples.ts";
import type { SlotBuilder } from "./slot-builder.ts";
import type { SlotDirectories } from "./slot-directories.ts";
import type { SlotMaking } from "./slot-making.ts";
import type { Slots } from "./slots.ts";
import type { SpareSlot, SpareSlots } from "./spare-slots.ts";
import type { SshCheck } from "./ssh-check.ts";
import type { UserQueues } from "./user-queues.ts";

/** Between two looks at whether the pool is as it should be, while nothing wakes it, ms. */
const LOOK_EVERY_MS = 2_000;
/** So long it waits for commands under way to end, ms. */
const QUIET_WITHIN_MS = 1_000;
/** An image that was made anew is noticed within this, ms. */
const IMAGE_KNOWN_MS = 30_000;
/** So long a burst of creates keeps the pool larger, ms. */
const DEMAND_MS = 60_000;
/** And so many times its size at the most. */
const MAX_GROWTH = 4;
/** After a failure, ms. */
const RETRY_MS = { first: 5_000, last: 60_000 };

interface WarmPoolParts {
  slots: Slots;
  slotMaking: SlotMaking;
  spares: SpareSlots;
  builder: SlotBuilder;
  directories: SlotDirectories;
  triples: PortTriples;
  sshCheck: SshCheck;
  images: Images;
  engineTrial: EngineTrial;
  inventory: Inventory;
  queues: UserQueues;
  draining: Draining;
  gate: Gate;
  host: HostResources;
  profile: Profile;
  /** How many slots stand ready while nobody asks for more. */
  warmPool: number;
  maxContainers: number;
  log: Log;
}

/**
 * Keeps slots ready for whoever comes next: made of the default image with the operator's own limits, one after another
 * in the background, at the lowest triples. They are nobody's, listed to nobody, and gone when the agent ends.
 */
export class WarmPool implements AsyncDisposable {
  readonly #parts: WarmPoolParts;
  readonly #work: Promise<void>;
  #creates: number[] = [];
  #image: { found: PresentImage | undefined; at: number } = { found: undefined, at: -Infinity };
  #isStopped = false;
  /** Since the last pause has ended. */
  #isWoken = false;
  #endPause = (): void => undefined;
  #retryMs: number | undefined;

  constructor(parts: WarmPoolParts) {
    this.#parts = parts;
    this.#work = parts.warmPool === 0 ? Promise.resolve() : this.#keep();
  }

  /** Somebody has asked for a container. */
  noteCreate(): void {
    this.#creates.push(performance.now());
    this.wake();
  }

  /** Something has happened that the pool may have to follow. */
  wake(): void {
    this.#isWoken = true;
    this.#endPause();
  }

  /** The slots that stand ready. */
  get standing(): string[] {
    return this.#parts.spares.ready.map(({ slot }) => slot);
  }

  /** Whether a container that nobody has claimed serves here: made for it, or left by an agent that was killed, and as new. */
  async takesOver(slot: string, base: number, summary: ContainerSummary): Promise<boolean> {
    const { directories, draining, spares, triples, warmPool } = this.#parts;
    const isSound = summary.state === "running" && warmPool > 0 && !draining.on && triples.gives(base);
    if (!isSound || !(await directories.isBlank(slot))) {
      spares.drop(slot);
      return false;
    }
    if (!spares.has(slot)) spares.add(slot, this.#tried(slot, base, summary));
    return true;
  }

  /** One of those that stood ready is gone. */
  lost(slot: string): void {
    this.#parts.spares.drop(slot);
    this.wake();
  }

  /** Ends the keeping and removes what stands ready. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.wake();
    await this.#work;
    await Promise.allSettled(this.#parts.spares.ready.map((spare) => this.#remove(spare)));
  }

  async #keep(): Promise<void> {
    while (!this.#isStopped) {
      try {
        do await this.#quiet();
        while (await this.#step());
        this.#retryMs = undefined;
      } catch (error) {
        this.#failed(error);
      }
      await this.#pause(this.#retryMs ?? LOOK_EVERY_MS);
    }
  }

  /** What somebody waits for goes first, but not for ever. */
  async #quiet(): Promise<void> {
    await Promise.race([this.#parts.queues.idle(), delay(QUIET_WITHIN_MS, undefined, { ref: false })]);
  }

  /** The next thing that the pool needs. Answers whether there was one. */
  async #step(): Promise<boolean> {
    const { draining, gate, queues, slotMaking, spares } = this.#parts;
    if (this.#isStopped || !gate.isOpen) return false;
    const highest = spares.ready.sort(byBase).at(-1);
    if (draining.on) return this.#removed(highest);
    const image = await this.#imageThatServes();
    const unfit = image ? await this.#stale(image) : highest;
    if (unfit) return this.#removed(unfit);
    const missing = this.#wanted() - spares.size;
    if (missing < 0) return this.#removed(highest);
    if (!image || !(await hasPlenty(this.#parts.host))) return false;
    if (missing > 0) return slotMaking.makeSpare(image);
    // What has become free below is what the next one gets: there the pool has to stand.
    if (!highest || queues.areBusy || !(await slotMaking.makeSpare(image, highest.base))) return false;
    return this.#removed(highest);
  }

  /** As many as were asked for lately, within bounds. */
  #wanted(): number {
    const { inventory, maxContainers, warmPool } = this.#parts;
    const since = performance.now() - DEMAND_MS;
    this.#creates = this.#creates.filter((at) => at > since);
    const wanted = Math.max(warmPool, Math.min(this.#creates.length, MAX_GROWTH * warmPool));
    return Math.max(0, Math.min(wanted, maxContainers - inventory.ownedLast.length));
  }

  /** The default image, where it is here and its containers can get their keys later. */
  async #imageThatServes(): Promise<PresentImage | undefined> {
    const { builder, images } = this.#parts;
    if (performance.now() - this.#image.at > IMAGE_KNOWN_MS) {
      this.#image = { found: await images.find(undefined), at: performance.now() };
    }
    const { found } = this.#image;
    return found && builder.mountsKeys(found) ? found : undefined;
  }

  async #stale(image: PresentImage): Promise<SpareSlot | undefined> {
    const { engineTrial, profile, spares } = this.#parts;
    const spec = specHash(image, profile, await engineTrial.abilities(image));
    return spares.ready.find((spare) => spare.spec !== spec);
  }

  async #removed(spare: SpareSlot | undefined): Promise<boolean> {
    if (!spare) return false;
    await this.#remove(spare);
    return true;
  }

  /** Taken first, so that nobody else does. */
  async #remove({ slot }: SpareSlot): Promise<void> {
    const { slots, spares } = this.#parts;
    if (!(await spares.take(slot))) return;
    await slots.destroy(slot, slotName(slot)).finally(() => spares.drop(slot));
  }

  async #tried(slot: string, base: number, { id, labels }: ContainerSummary): Promise<SpareSlot> {
    const { slots, sshCheck } = this.#parts;
    try {
      const shown = await sshCheck.wait(id, base);
      return { slot, base, containerId: id, spec: labels[LABELS.spec] ?? "", shown };
    } catch (error) {
      await slots.destroy(slot, slotName(slot));
      throw error;
    }
  }

  #failed(error: unknown): void {
    const retryMs = Math.min((this.#retryMs ?? RETRY_MS.first / 2) * 2, RETRY_MS.last);
    // Its making again and again is no news.
    if (this.#retryMs === undefined) {
      this.#parts.log.warn(
        { error },
        "No container could be made ahead; creates are served all the same, and it is tried again",
      );
    }
    this.#retryMs = retryMs;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#isWoken ? 0 : ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#isWoken = false;
  }
}

const byBase = (one: SpareSlot, other: SpareSlot): number => one.base - other.base;
