import { randomUUID } from "node:crypto";
import type { Container, Ports } from "@dockhost/protocol";
import type { BackendClient, Outcome } from "../backends/backend-client.ts";
import type { Log } from "../observe/log.ts";
import type { InstanceRecord, InstancesStore } from "../store/instances-store.ts";
import { correct, hasTriple, isItsOwn, reasonFor } from "./container-truth.ts";
import { ServiceError } from "./errors.ts";
import { refusal, unfinished, whyNot } from "./outcomes.ts";
import type { Operations } from "./operations.ts";

/**
 * Carries out commands on a backend and keeps the record true to their outcome. An operation is on the record before
 * it is sent; what the backend did is only ever taken from its valid reply or its inventory.
 */
export class InstanceCommands {
  readonly #store: InstancesStore;
  readonly #client: BackendClient;
  readonly #operations: Operations;
  readonly #log: Log;

  constructor(store: InstancesStore, client: BackendClient, operations: Operations, log: Log) {
    this.#store = store;
    this.#client = client;
    this.#operations = operations;
    this.#log = log;
  }

  /**
   * Puts a create on record by `record` and sends it, as one operation: an inventory that finds the record meanwhile leaves
   * it alone. One that failed leaves no record.
   */
  create(id: string, record: () => Promise<InstanceRecord>): Promise<InstanceRecord> {
    return this.#operations.run(id, async () => this.#create(await record(), "first"));
  }

  /** Sends a create again that may have been sent before; its operationId tells the backend that it is the same. */
  async resumeCreate(id: string): Promise<void> {
    await this.#operations.run(id, async () => {
      const record = await this.#store.get(id);
      if (record?.state === "creating") await this.#create(record, "again");
    });
  }

  power(id: string, command: "start-container" | "stop-container"): Promise<InstanceRecord> {
    return this.#operations.run(id, () => this.#power(id, command));
  }

  /** From the next login on. */
  setKeys(id: string, sshPublicKeys: string[]): Promise<InstanceRecord> {
    return this.#operations.run(id, () => this.#setKeys(id, sshPublicKeys));
  }

  delete(id: string): Promise<void> {
    return this.#operations.run(id, () => this.#delete(id));
  }

  async #create(record: InstanceRecord, time: "first" | "again"): Promise<InstanceRecord> {
    if (!record.createRequest) throw new Error(`The create of instance ${record.id} is not on its record.`);
    const outcome = await this.#client.send(record.backendId, "create-container", record.createRequest);
    if (isDone(outcome, record)) {
      const { data } = outcome.reply;
      if (this.#isInRange(record, data) && !(await this.#isGivenTwice(record, data))) return this.#accept(record, data);
      await this.#store.remove(record);
      throw unfinished(outcome);
    }
    if (outcome.kind === "reply" && !outcome.reply.success) {
      await this.#store.remove(record);
      throw refusal(outcome.reply);
    }
    if (outcome.kind === "offline" && !outcome.sent && time === "first") await this.#store.remove(record);
    if (outcome.kind === "reply" || outcome.kind === "fault") await this.#settleFaultyCreate(record);
    throw unfinished(outcome);
  }

  async #power(id: string, command: "start-container" | "stop-container"): Promise<InstanceRecord> {
    const record = await this.#withContainer(id);
    const operationId = randomUUID();
    await this.#store.begin(record, operationId, command);
    const outcome = await this.#client.send(record.backendId, command, { username: record.username, operationId });
    if (isDone(outcome, record)) return this.#accept(record, outcome.reply.data);
    this.#refreshSoon(id);
    throw whyNot(outcome);
  }

  /** Nothing on the record tells of keys: one that was cut off is asked for again by its user. */
  async #setKeys(id: string, sshPublicKeys: string[]): Promise<InstanceRecord> {
    const record = await this.#withContainer(id);
    const request = { username: record.username, operationId: randomUUID(), sshPublicKeys };
    const outcome = await this.#client.send(record.backendId, "set-ssh-keys", request);
    if (isDone(outcome, record)) return this.#accept(record, outcome.reply.data);
    throw whyNot(outcome);
  }

  async #delete(id: string): Promise<void> {
    const record = await this.#existing(id);
    if (record.state === "gone") return this.#store.remove(record);
    const operationId = randomUUID();
    await this.#store.begin(record, operationId, "delete-container");
    const request = { username: record.username, operationId };
    const outcome = await this.#client.send(record.backendId, "delete-container", request);
    if (outcome.kind === "reply") {
      if (outcome.reply.success || outcome.reply.error.code === "NOT_FOUND") return this.#store.remove(record);
      await this.#store.endPending(record);
      throw refusal(outcome.reply);
    }
    if (outcome.kind === "offline" && !outcome.sent) await this.#store.endPending(record);
    else this.#refreshSoon(id);
    throw unfinished(outcome);
  }

  async #accept(record: InstanceRecord, container: Container): Promise<InstanceRecord> {
    await this.#store.settle(record, container, reasonFor(container));
    return this.#existing(record.id);
  }

  #isInRange({ backendId }: InstanceRecord, { ports }: Container): boolean {
    const range = this.#client.portRangeOf(backendId);
    if (!range || (ports.ssh >= range.first && ports.https <= range.last)) return true;
    this.#log.warn({ backendId, ports, range }, "A backend gave ports outside its own range.");
    return false;
  }

  /** Whether the backend says that another instance has one of these ports; what it said earlier may be over, so it is asked. */
  async #isGivenTwice(record: InstanceRecord, { ports }: Container): Promise<boolean> {
    for (const other of await this.#store.ofBackend(record.backendId)) {
      if (other.id === record.id || other.state === "gone" || !other.ports || !overlap(other.ports, ports)) continue;
      const containers = await this.#containersOf(other);
      const stillThere = containers?.some((one) => one.username === other.username && overlap(one.ports, ports));
      if (stillThere !== true) this.#refreshSoon(other.id);
      else {
        this.#log.warn({ backendId: record.backendId, ports }, "A backend gave the same ports to two instances.");
        return true;
      }
    }
    return false;
  }

  /** What a reply that cannot be read stood for is asked again: a container that is there is kept, else nothing is. */
  async #settleFaultyCreate(record: InstanceRecord): Promise<void> {
    const containers = await this.#containersOf(record);
    const own = containers?.find((container) => isItsOwn(record, container) && hasTriple(container));
    if (own) await correct(this.#store, record, own);
    else if (containers) await this.#store.remove(record);
  }

  #refreshSoon(id: string): void {
    const refreshed = this.#operations.run(id, async () => {
      const record = await this.#store.get(id);
      const containers = record && (await this.#containersOf(record));
      if (containers)
        await correct(
          this.#store,
          record,
          containers.find(({ username }) => username === record.username),
        );
    });
    refreshed.catch((error: unknown) => {
      this.#log.error({ err: error, instanceId: id }, "An instance's state could not be refreshed.");
    });
  }

  /** Undefined where the backend does not say. */
  async #containersOf({ backendId, username }: InstanceRecord): Promise<Container[] | undefined> {
    const outcome = await this.#client.send(backendId, "list-containers", { username });
    return outcome.kind === "reply" && outcome.reply.success ? outcome.reply.data.containers : undefined;
  }

  async #withContainer(id: string): Promise<InstanceRecord> {
    const record = await this.#existing(id);
    if (record.state === "creating") throw new ServiceError("CONFLICT", "This instance is still being created.");
    if (record.state !== "gone") return record;
    throw new ServiceError(
      "CONFLICT",
      `This instance is gone; delete it and create a new one. ${record.stateReason ?? ""}`.trim(),
    );
  }

  /** A command that was queued before this one may have deleted it. */
  async #existing(id: string): Promise<InstanceRecord> {
    const record = await this.#store.get(id);
    if (record) return record;
    throw new ServiceError("NOT_FOUND", "There is no such instance.");
  }
}

type ContainerCommand = "create-container" | "start-container" | "stop-container" | "set-ssh-keys";
interface Done {
  kind: "reply";
  reply: { success: true; message: string; data: Container };
}

/** A valid reply of success, about this user's container and no one else's. */
function isDone(outcome: Outcome<ContainerCommand>, record: InstanceRecord): outcome is Done {
  if (outcome.kind !== "reply" || !outcome.reply.success) return false;
  return outcome.reply.data.username === record.username && hasTriple(outcome.reply.data);
}

const PORTS_OF_A_TRIPLE = 3;

const overlap = (one: Ports, other: Ports) => Math.abs(one.ssh - other.ssh) < PORTS_OF_A_TRIPLE;
