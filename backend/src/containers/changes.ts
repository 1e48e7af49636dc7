import { setTimeout as delay } from "node:timers/promises";
import type { ChangeCause, ContainerChanged } from "@dockhost/protocol";
import type { ContainerDetail, ContainerEvent, Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { baseOf, ownership } from "./names.ts";
import { portsOf, type PortTriples } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import type { Slots } from "./slots.ts";
import type { UserQueues } from "./user-queues.ts";
import { containerView, isRunning } from "./views.ts";

/** The Engine tells one happening in several events; those of one container within this time are one, ms. */
const GATHER_MS = 250;
/** A death is half a sentence: a busy Engine tells the stop or the restart that it belongs to later (seen: 2.3 s), ms. */
const DEATH_DOUBT_MS = 5_000;
/** A graceful stop of the Engine looks like a stop by hand, until the Engine no longer answers, ms. */
const STOP_DOUBT_MS = 10_000;
/** Between two looks at a container of which the Engine does not tell how it is, ms. */
const RETRY_MS = 1_000;

/** What no main server hears of. */
const UNTOLD: ReadonlySet<ContainerEvent["action"]> = new Set(["rename", "pause", "unpause"]);

interface ChangesParts {
  engine: Engine;
  slots: Slots;
  directories: SlotDirectories;
  triples: PortTriples;
  queues: UserQueues;
  backendId: string;
  log: Log;
}

interface Gathered {
  actions: Set<ContainerEvent["action"]>;
  exitCode: number | undefined;
  /** Called when the Engine has told how a death goes on. */
  complete: () => void;
}

type ClaimedEvent = ContainerEvent & { username: string; slot: string; base: number };

/** Turns the Engine's events into what happened to a user's container without a command's asking. */
export class Changes {
  readonly #parts: ChangesParts;
  readonly #gathered = new Map<string, Gathered>();
  /** By the container's id: ends when the newest change that was gathered of it, and so all before it, are told. */
  readonly #settled = new Map<string, Promise<void>>();
  readonly #listeners = new Set<(change: ContainerChanged) => void>();

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  onChange(listener: (change: ContainerChanged) => void): void {
    this.#listeners.add(listener);
  }

  note(event: ContainerEvent, signal: AbortSignal): void {
    const whose = ownership(event, this.#parts.backendId);
    this.#noteTriple(event, whose.kind === "foreign" ? event.id : whose.slot);
    if (whose.kind === "claimed" && !UNTOLD.has(event.action) && !this.#isOurDoing(event, whose))
      this.#gather({ ...event, ...whose }, signal);
  }

  /** A busy Engine tells of a stop some time after it has answered the command that asked for it. */
  #isOurDoing({ action }: ContainerEvent, { username, slot }: { username: string; slot: string }): boolean {
    const { directories, queues } = this.#parts;
    const isEnd = action === "die" || action === "stop";
    return queues.commandUnderWay(username) || (isEnd && directories.knownClaim(slot)?.shouldRun === false);
  }

  /** Another backend's containers on this Engine hold their ports too. A slot under way may be at its next triple. */
  #noteTriple(event: ContainerEvent, holder: string): void {
    if (this.#parts.slots.isUnderWay(holder)) return;
    const base = baseOf(event);
    if (event.action === "create" && base !== undefined) this.#parts.triples.hold(holder, base);
    if (event.action === "destroy") this.#parts.triples.release(holder);
  }

  #gather(event: ClaimedEvent, signal: AbortSignal): void {
    const begun = this.#gathered.get(event.id);
    const gathered = begun ?? { actions: new Set(), exitCode: undefined, complete: () => undefined };
    gathered.actions.add(event.action);
    gathered.exitCode = event.exitCode ?? gathered.exitCode;
    if (!isHalfTold(gathered)) gathered.complete();
    if (begun) return;
    this.#gathered.set(event.id, gathered);
    const settled = this.#settleInOrder(event, gathered, signal)
      // Only a broken stream ends it so; what that leaves in doubt, recovery finds.
      .catch(() => undefined)
      .finally(() => {
        if (this.#settled.get(event.id) === settled) this.#settled.delete(event.id);
      });
    this.#settled.set(event.id, settled);
  }

  /** A busy Engine may not answer at first; the user's commands go on meanwhile, what happens next to the container waits. */
  async #settleInOrder(event: ClaimedEvent, gathered: Gathered, signal: AbortSignal): Promise<void> {
    const { queues, log } = this.#parts;
    const before = this.#settled.get(event.id);
    await whenTold(gathered, signal).finally(() => this.#gathered.delete(event.id));
    await before;
    for (;;) {
      try {
        await queues.run(event.username, () => this.#settle(event, gathered, signal));
        return;
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ username: event.username, error }, "A change could not be read yet");
      }
      await delay(RETRY_MS, undefined, { signal });
    }
  }

  /** In the user's turn, so that what a command did is in the claim already. */
  async #settle(event: ClaimedEvent, gathered: Gathered, signal: AbortSignal): Promise<void> {
    const { directories, engine, slots } = this.#parts;
    const claim = await directories.readClaim(event.slot);
    const now = await engine.inspect(event.id);
    if (!claim || claim.deleting) return;
    if (!now) {
      await slots.forget(event.slot);
      this.#tell(event, claim, undefined, { kind: "removed-by-hand" });
      return;
    }
    const told = causes(gathered, now, claim);
    const runsAgain = isRunning(now) && !claim.shouldRun;
    const settled = runsAgain ? { ...claim, shouldRun: true, stoppedAt: undefined } : claim;
    // Before it is told: what happens next is judged by it.
    if (runsAgain) await directories.writeClaim(event.slot, settled);
    for (const cause of told) this.#tell(event, settled, now, cause);
    if (!isRunning(now) && claim.shouldRun) void this.#acceptStop(event, now.startedAt, signal);
  }

  /** What a person stopped, and has not started since, stays stopped; what the Engine took down with itself is to run again. */
  async #acceptStop(event: ClaimedEvent, startedAt: string, signal: AbortSignal): Promise<void> {
    const { directories, engine, queues, log } = this.#parts;
    try {
      await delay(STOP_DOUBT_MS, undefined, { signal });
      await queues.run(event.username, async () => {
        const now = await engine.inspect(event.id);
        const claim = await directories.readClaim(event.slot);
        if (!now || !claim || isRunning(now) || now.startedAt !== startedAt) return;
        await directories.writeClaim(event.slot, { ...claim, shouldRun: false });
      });
    } catch (error) {
      if (!signal.aborted) log.debug({ username: event.username, error }, "A stop is left in doubt");
    }
  }

  #tell(event: ClaimedEvent, claim: Claim, now: ContainerDetail | undefined, cause: ChangeCause): void {
    const { username, slot, base, id: containerId } = event;
    const seen = now ?? { state: "exited" as const, image: event.labels.image ?? "unknown", createdAt: new Date() };
    const { state, image, createdAt } = seen;
    const exit = now && !isRunning(now) ? now : undefined;
    const container = containerView({ containerId, username, slot, base, state, image, createdAt, exit }, claim);
    this.#parts.log.info({ username, ports: portsOf(base), ...cause }, "Container changed without a command");
    for (const listener of this.#listeners) listener({ container, cause });
  }
}

const isHalfTold = ({ actions }: Gathered): boolean =>
  actions.has("die") && !actions.has("stop") && !actions.has("start") && !actions.has("destroy");

async function whenTold(gathered: Gathered, signal: AbortSignal): Promise<void> {
  await delay(GATHER_MS, undefined, { signal });
  if (!isHalfTold(gathered)) return;
  const completed = new Promise<void>((resolve) => (gathered.complete = resolve));
  await Promise.race([completed, delay(DEATH_DOUBT_MS, undefined, { signal })]);
}

function causes(gathered: Gathered, now: ContainerDetail, claim: Claim): ChangeCause[] {
  const found: ChangeCause[] = [];
  const { actions, exitCode } = gathered;
  if (actions.has("stop")) {
    if (claim.shouldRun) found.push({ kind: "stopped-by-hand" });
  } else if (actions.has("die") && claim.shouldRun) {
    found.push({ kind: "died", exitCode: exitCode ?? now.exitCode, oomKilled: now.oomKilled || actions.has("oom") });
  }
  if (actions.has("start") && isRunning(now)) found.push({ kind: "started" });
  return found;
}
