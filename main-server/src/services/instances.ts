import { randomUUID } from "node:crypto";
import { parseSshPublicKey, type Limits } from "@dockhost/protocol";
import PQueue from "p-queue";
import type { Connection } from "../backends/connection.ts";
import type { Registry } from "../backends/registry.ts";
import type { User } from "../store/accounts-store.ts";
import type { InstanceRecord } from "../store/instances-store.ts";
import type { Store } from "../store/store.ts";
import { ServiceError } from "./errors.ts";
import type { InstanceCommands } from "./instance-commands.ts";
import { viewInstance, type InstanceView, type Whereabouts } from "./instance-view.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import { place, type Placement } from "./placement.ts";
import { namesBackend } from "./why.ts";

export interface NewInstance {
  sshPublicKey: string;
  /** Without it, the connected backend with the most free capacity serves. */
  backendId?: string | undefined;
  image?: string | undefined;
  limits?: Limits | undefined;
}

/** Who asks, and the host name by which they reached the main server. */
export interface Caller {
  user: User;
  host: string;
}

interface Parts {
  store: Store;
  registry: Registry;
  commands: InstanceCommands;
}

/** What users do with their instances; another's is to them as if it were not there. */
export class Instances {
  readonly #parts: Parts;
  /** One placement after another, so that each counts those before it. */
  readonly #placing = new PQueue({ concurrency: 1 });

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(caller: Caller, wanted: NewInstance): Promise<InstanceView> {
    const sshPublicKey = canonicalKey(wanted.sshPublicKey);
    const id = randomUUID();
    const onRecord = () => this.#placing.add(() => this.#record(id, caller.user, { ...wanted, sshPublicKey }));
    return this.#view(caller, await this.#parts.commands.create(id, onRecord));
  }

  /** Newest first. */
  async list(caller: Caller, query: PageQuery): Promise<Page<InstanceView>> {
    const { id } = caller.user;
    const { items, nextCursor } = await readPage(`instances of ${id}`, query, (limit, after) =>
      this.#parts.store.instances.ofUser(id, limit, after),
    );
    return { items: await this.#views(caller, items), nextCursor };
  }

  async get(caller: Caller, id: string): Promise<InstanceView> {
    return this.#view(caller, await this.#own(caller, id));
  }

  async power(caller: Caller, id: string, command: "start-container" | "stop-container"): Promise<InstanceView> {
    const record = await this.#own(caller, id);
    return this.#view(caller, await this.#parts.commands.power(record.id, command));
  }

  /** In the place of all that logged in there. Throws INVALID_KEY. */
  async setKeys(caller: Caller, id: string, sshPublicKeys: readonly string[]): Promise<InstanceView> {
    const keys = sshPublicKeys.map(canonicalKey);
    const record = await this.#own(caller, id);
    return this.#view(caller, await this.#parts.commands.setKeys(record.id, keys));
  }

  /** Answers the name of the backend that it was on. */
  async delete(caller: Caller, id: string): Promise<string | undefined> {
    const { commands, store } = this.#parts;
    const record = await this.#own(caller, id);
    const backend = await store.backends.get(record.backendId);
    await commands.delete(record.id);
    return backend?.name;
  }

  /** Finds a backend and puts the instance on record as `creating`. */
  async #record(
    id: string,
    user: User,
    { backendId, sshPublicKey, image, limits }: NewInstance,
  ): Promise<InstanceRecord> {
    const target = backendId ?? (await this.#place(user));
    if (backendId !== undefined) await this.#checkUsable(user, backendId);
    const request = { username: user.username, operationId: randomUUID(), sshPublicKey };
    const record = await this.#parts.store.instances.addCreating(
      { id, userId: user.id, backendId: target },
      { ...request, image, limits },
    );
    if (record) return record;
    throw new ServiceError("ALREADY_EXISTS", "You already have an instance on this backend; there can be one on each.");
  }

  async #checkUsable(user: User, backendId: string): Promise<void> {
    const backend = await this.#parts.store.backends.get(backendId);
    if (!backend || (backend.ownerId !== null && backend.ownerId !== user.id))
      throw new ServiceError("NOT_FOUND", "There is no such backend.");
  }

  async #place(user: User): Promise<string> {
    const { store, registry } = this.#parts;
    const usable = await store.backends.usableBy(user.id);
    const online = usable.filter((id) => registry.online(id));
    const creating = await store.instances.creatingByBackend();
    const occupied = await store.instances.backendsOf(user.id);
    const candidates = online.map((id) => ({
      backendId: id,
      status: registry.statusOf(id),
      creating: creating.get(id) ?? 0,
      occupied: occupied.has(id),
    }));
    return placed(place(candidates));
  }

  async #own({ user }: Caller, id: string): Promise<InstanceRecord> {
    const record = await this.#parts.store.instances.get(id);
    if (record?.userId === user.id) return record;
    throw new ServiceError("NOT_FOUND", "There is no such instance.");
  }

  async #view(caller: Caller, record: InstanceRecord): Promise<InstanceView> {
    const whereabouts = await this.#whereabouts([record]);
    return viewInstance(record, whereabouts(record.backendId), caller.host);
  }

  async #views({ host }: Caller, records: readonly InstanceRecord[]): Promise<InstanceView[]> {
    const whereabouts = await this.#whereabouts(records);
    return records.map((record) => viewInstance(record, whereabouts(record.backendId), host));
  }

  /** The store is asked, once, of those alone that have not told it themselves since they connected, or are to be named. */
  async #whereabouts(records: readonly InstanceRecord[]): Promise<(backendId: string) => Whereabouts> {
    const { store, registry } = this.#parts;
    const online = new Map(records.map(({ backendId }) => [backendId, registry.online(backendId)]));
    const unclear = records.filter((record) => !isPlain(record, online.get(record.backendId)));
    const last = await store.backends.whereabouts(unclear.map(({ backendId }) => backendId));
    return (backendId) => {
      const connection = online.get(backendId);
      const known = last.get(backendId);
      return {
        name: known?.name ?? null,
        ...factsOf(connection),
        lastSeenAt: known?.lastSeenAt ?? null,
        remoteAddress: connection?.remoteAddress ?? known?.remoteAddress ?? null,
        addresses: connection?.status?.addresses ?? known?.addresses ?? [],
      };
    };
  }
}

const factsOf = (connection: Connection | undefined) => ({
  online: connection !== undefined,
  dockerReachable: connection?.status?.docker.reachable ?? true,
});

/** Whether nothing has to be read of its backend. */
const isPlain = (record: InstanceRecord, connection: Connection | undefined): boolean =>
  connection?.status !== undefined && !namesBackend(record, factsOf(connection));

/** Refused here, a bad key costs no backend anything. */
function canonicalKey(line: string): string {
  const result = parseSshPublicKey(line);
  if (result.ok) return result.key.line;
  throw new ServiceError("INVALID_KEY", result.reason);
}

function placed(placement: Placement): string {
  switch (placement.kind) {
    case "placed":
      return placement.backendId;
    case "no-backend":
      throw new ServiceError("NO_BACKEND", "No backend is connected that could serve you; try again later.");
    case "full":
      throw new ServiceError("CAPACITY", "No connected backend has room for another instance; try again later.");
    case "no-engine":
      throw new ServiceError(
        "ENGINE_UNAVAILABLE",
        "Docker is not reachable on any connected backend; try again later.",
      );
    case "occupied":
      throw new ServiceError("ALREADY_EXISTS", "You already have an instance on every backend that is connected.");
  }
}
