import { EngineError, type ContainerSummary, type Engine } from "../engine/engine.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Log } from "../observe/log.ts";
import { steps } from "../observe/steps.ts";
import { toDockHostError } from "./errors.ts";
import type { KnownContainers } from "./known-containers.ts";
import type { LostProcesses } from "./lost-processes.ts";
import { baseOf, bearsIdOf, LABELS, ownership, slotName, type Ownership } from "./names.ts";
import type { Moving } from "./moving.ts";
import type { OperationLog } from "./operation-log.ts";
import { portsOf, type PortTriples } from "./port-triples.ts";
import type { Claim, SlotDirectories } from "./slot-directories.ts";
import { STOP_GRACE_S, type Slots } from "./slots.ts";
import type { UserQueues } from "./user-queues.ts";
import { isRunning } from "./views.ts";
import type { WarmPool } from "./warm-pool.ts";

const step = steps("recovery");

/** Within this what runs was not started by a person: nobody has been seen to, and a user has said that it rests, ms. */
const STOPPED_LATELY_MS = 10 * 60_000;

interface RecoveryParts {
  engine: Engine;
  known: KnownContainers;
  slots: Slots;
  moving: Moving;
  lostProcesses: LostProcesses;
  warmPool: WarmPool;
  directories: SlotDirectories;
  triples: PortTriples;
  operations: OperationLog;
  queues: UserQueues;
  backendId: string;
  log: Log;
}

type Known = Ownership & { summary: ContainerSummary };
type Claimed = Extract<Known, { kind: "claimed" }>;
type Unclaimed = Extract<Known, { kind: "unclaimed" }>;

/**
 * Brings what Docker and the data directory hold back to a known state: what is named for a user is kept and runs if it
 * should, a delete that was begun is finished, and what is neither named nor under way is removed.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #foreignReported = new Set<string>();
  /** Slots whose container should run and did not start. */
  readonly #notStarted = new Set<string>();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** At start and after a gap in the Engine's events: a sweep, and what should run is started. */
  async recover(): Promise<void> {
    const claimed = await step.time("recover", async () => {
      await this.#parts.lostProcesses.end();
      const found = await this.#settle();
      await this.#eachInItsQueue(found, async (one) => {
        await this.#finishDelete(one);
        await this.#resume(one);
      });
      return found;
    });
    this.#parts.log.info({ containers: claimed.length }, "Recovered: containers are as they should be");
  }

  /** Removes what nobody knows, and tries again to start what did not start; runs beside commands. */
  async sweep(): Promise<void> {
    await step.time("sweep", async () => {
      await this.#eachInItsQueue(await this.#settle(), async (one) => {
        await this.#finishDelete(one);
        if (this.#notStarted.has(one.slot)) await this.#resume(one);
      });
    });
  }

  async #eachInItsQueue(claimed: readonly Claimed[], work: (one: Claimed) => Promise<void>): Promise<void> {
    const { queues } = this.#parts;
    const works = claimed.map((one) => this.#apart(one.summary, () => queues.run(one.username, () => work(one))));
    await Promise.all(works);
  }

  /** What fails for one container holds up no other; an Engine that is away fails for all. */
  async #apart({ name }: Pick<ContainerSummary, "name">, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof EngineError && error.kind === "unreachable") throw error;
      this.#parts.log.error({ container: name, error }, "A container could not be brought back in order");
    }
  }

  async #settle(): Promise<Claimed[]> {
    const { directories, known, slots, triples, warmPool, backendId } = this.#parts;
    await this.#settleMoves();
    // In this order: a slot found on disk is then under way still, or in the list, or nobody's.
    const onDisk = await directories.list();
    const holdersBefore = triples.holders;
    const underWay = slots.underWay;
    const spareBefore = warmPool.standing;
    const containers = await known.list();
    failpoint("recovery:listed");
    const found = containers.map((summary) => ({ summary, ...ownership(summary, backendId) }));

    const holders = this.#holdTriples(found);
    for (const holder of holdersBefore) {
      if (!holders.has(holder) && !underWay.has(holder)) triples.release(holder);
    }
    for (const one of found) {
      if (one.kind === "unclaimed") await this.#apart(one.summary, () => this.#removeUnclaimed(one));
      if (one.kind === "foreign") this.#reportForeign(one.summary);
    }
    const withContainer = new Set(found.flatMap((one) => (one.kind === "foreign" ? [] : [one.slot])));
    for (const slot of spareBefore) if (!withContainer.has(slot)) warmPool.lost(slot);
    for (const slot of onDisk) {
      if (!withContainer.has(slot) && !underWay.has(slot)) {
        await slots.forget(slot);
        failpoint("recovery:directory-removed");
      }
    }
    await this.#parts.moving.sweepImages();
    return found.filter((one) => one.kind === "claimed");
  }

  async #settleMoves(): Promise<void> {
    const { directories, moving, queues } = this.#parts;
    await Promise.all((await directories.list()).map((slot) => directories.readClaim(slot)));
    for (const username of directories.usersMoving()) {
      await this.#apart({ name: username }, () => queues.run(username, () => moving.settle(username)));
    }
  }

  /** Stopped containers hold their ports too, and so do those of another backend on this Engine. */
  #holdTriples(known: readonly Known[]): Set<string> {
    const holders = new Set<string>();
    for (const one of known) {
      const holder = one.kind === "foreign" ? one.summary.id : one.slot;
      const base = baseOf(one.summary);
      holders.add(holder);
      // A slot under way may be at its next triple already.
      if (base !== undefined && !this.#parts.slots.isUnderWay(holder)) this.#parts.triples.hold(holder, base);
    }
    return holders;
  }

  /** Looked up by name once more: what was under way when it was listed may have got its user's name since. */
  async #removeUnclaimed({ slot, base, summary }: Unclaimed): Promise<void> {
    const { directories, engine, slots, warmPool, log } = this.#parts;
    const isMoving = (await directories.readClaim(slot))?.movedFrom !== undefined;
    if (isMoving || slots.isUnderWay(slot) || (await warmPool.takesOver(slot, base, summary))) return;
    if (slots.isUnderWay(slot) || !(await engine.inspect(slotName(slot)))) return;
    await slots.destroy(slot, slotName(slot));
    failpoint("recovery:unclaimed-removed");
    log.info({ slot }, "Removed a container that an unfinished operation had left");
  }

  async #finishDelete({ slot, username, summary }: Claimed): Promise<void> {
    const { directories, slots, log } = this.#parts;
    const claim = await directories.readClaim(slot);
    if (claim?.deleting !== true || claim.movingImage !== undefined) return;
    await slots.destroy(slot, summary.id);
    failpoint("recovery:delete-finished");
    log.info({ username }, "Finished a delete that had been begun");
  }

  /** Starts it where it should run. */
  async #resume(claimed: Claimed): Promise<void> {
    const { directories, engine, log, slots } = this.#parts;
    const { slot, username } = claimed;
    const failedBefore = this.#notStarted.delete(slot);
    const now = await engine.inspect(claimed.summary.id);
    if (!now) return;
    const claim = await this.#adoptClaim(claimed);
    await this.#recordCreate(claimed, claim);
    if (isRunning(now) === claim.shouldRun) return;
    if (isRunning(now) && wasStoppedLately(claim)) return this.#stopAgain(now.id, claim);
    if (isRunning(now)) return directories.writeClaim(slot, { ...claim, shouldRun: true, stoppedAt: undefined });
    try {
      await slots.start(now.id);
      failpoint("recovery:container-started");
      log.info({ username }, "Started a container that should be running");
    } catch (error) {
      const { message } = toDockHostError(error);
      this.#notStarted.add(slot);
      if (failedBefore) return;
      log.error(
        { username, error },
        `A container that should be running did not start, and is tried again: ${message}`,
      );
    }
  }

  /** Docker forgets a stop that comes while it is itself on its way out, and runs the container when it is back (seen with 20.10). */
  async #stopAgain(containerId: string, { username }: Claim): Promise<void> {
    const { engine, log } = this.#parts;
    await engine.stop(containerId, STOP_GRACE_S);
    log.info({ username }, "Stopped a container again that Docker had started, although its user had stopped it");
  }

  /** A container whose claim is lost is its name's all the same; in doubt it should run as it does. */
  async #adoptClaim({ slot, username, summary }: Claimed): Promise<Claim> {
    const found = await this.#parts.directories.readClaim(slot);
    if (found) return found;
    const claim: Claim = {
      username,
      createdAt: summary.createdAt.toISOString(),
      requestHash: "",
      shouldRun: isRunning(summary),
      deleting: false,
      keysMounted: (summary.labels[LABELS.keys] ?? "") !== "",
    };
    const { directories } = this.#parts;
    directories.make(slot);
    await directories.writeClaim(slot, claim);
    failpoint("recovery:claim-adopted");
    this.#parts.log.warn({ username, slot }, "A container's claim was missing; it is kept and goes by its name");
    return claim;
  }

  /** A create that was cut off between its commit and its record has succeeded; its retry must hear so. */
  async #recordCreate({ summary, base }: Claimed, claim: Claim): Promise<void> {
    const { operations } = this.#parts;
    if (claim.operationId === undefined || operations.has(claim.operationId)) return;
    const { operationId, requestHash } = claim;
    const container = { containerId: summary.id, createdAt: claim.createdAt, ports: portsOf(base) };
    await operations.record({ operationId, command: "create-container", requestHash, ...container });
    failpoint("recovery:create-recorded");
  }

  #reportForeign(summary: ContainerSummary): void {
    if (!bearsIdOf(summary, this.#parts.backendId) || this.#foreignReported.has(summary.id)) return;
    this.#foreignReported.add(summary.id);
    this.#parts.log.warn(
      { container: summary.name },
      "A container bears this backend's labels under a name that it never gave; it is left alone",
    );
  }
}

const wasStoppedLately = ({ stoppedAt }: Claim): boolean =>
  stoppedAt !== undefined && Math.abs(Date.now() - Date.parse(stoppedAt)) < STOPPED_LATELY_MS;
