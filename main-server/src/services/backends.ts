import type { BackendStatus, Container } from "@dockhost/protocol";
import type { BackendClient } from "../backends/backend-client.ts";
import type { Registry } from "../backends/registry.ts";
import type { BackendRecord } from "../store/backends-store.ts";
import type { InstanceRecord } from "../store/instances-store.ts";
import type { Store } from "../store/store.ts";
import type { User } from "./accounts.ts";
import { digestOf, mintApiKey } from "./api-key.ts";
import { causeOf } from "./container-cause.ts";
import { ServiceError } from "./errors.ts";
import type { Keys, KeyView, MintedKey } from "./keys.ts";
import { whyNot } from "./outcomes.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import type { UnknownContainers } from "./unknown-containers.ts";
import { whyBackend } from "./why.ts";

type Reported = Pick<BackendStatus, "version" | "capacity" | "usage" | "docker">;

/** What it last reported is null until it has reported once. */
export type BackendView = { [Name in keyof Reported]: Reported[Name] | null } & {
  id: string;
  name: string;
  /** It serves everyone. */
  shared: boolean;
  status: "online" | "offline";
  draining: boolean;
  addresses: string[];
  /** Containers on it that are on no record of this main server. */
  unknownContainers: number;
  /** Why it does not serve as it could; null where all is well. */
  why: string | null;
  /** The caller may manage it. */
  mine: boolean;
  createdAt: string;
  lastSeenAt: string | null;
};

/** A container of a backend, as whoever manages the backend sees it. */
export type ContainerView = Pick<Container, "containerId" | "username" | "state" | "ports" | "image" | "createdAt"> & {
  /** Why it is as it is; null where it runs for an instance of ours. */
  cause: string | null;
};

interface Parts {
  client: BackendClient;
  store: Store;
  registry: Registry;
  keys: Keys;
  unknown: UnknownContainers;
}

export class Backends {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Throws FORBIDDEN where the user may not register any; what they have registered before stays theirs. */
  async create(user: User, name: string): Promise<{ backend: BackendView; apiKey: string }> {
    if (user.role === "user") throw new ServiceError("FORBIDDEN", "Only operators register backends; ask an admin.");
    const apiKey = mintApiKey();
    const record = await this.#parts.store.backends.addWithKey(name, user.id, digestOf(apiKey));
    return { backend: this.#view(user, record), apiKey };
  }

  /** Those that the user may place on, oldest first. */
  async list(user: User, query: PageQuery): Promise<Page<BackendView>> {
    const { items, nextCursor } = await readPage(`backends of ${user.id}`, query, (limit, after) =>
      this.#parts.store.backends.pageUsableBy(user.id, limit, after),
    );
    return { items: items.map((record) => this.#view(user, record)), nextCursor };
  }

  async get(user: User, id: string): Promise<BackendView> {
    return this.#view(user, await this.#usable(user.id, id));
  }

  /** Its agent is disconnected. Answers what its name was. Throws CONFLICT while an instance is on it. */
  async remove(user: User, id: string): Promise<string> {
    const { store, registry } = this.#parts;
    const { name } = await this.#managed(user, id);
    const removed = await store.backends.remove(id);
    if (!removed) throw new ServiceError("CONFLICT", "This backend still has instances; delete them first.");
    registry.endOf(id);
    return name;
  }

  /** A backend that drains takes no new instance and serves those that it has. */
  async setDraining(user: User, id: string, draining: boolean): Promise<{ draining: boolean }> {
    await this.#managed(user, id);
    const outcome = await this.#parts.client.send(id, "set-draining", { draining });
    if (outcome.kind === "reply" && outcome.reply.success) return outcome.reply.data;
    throw whyNot(outcome);
  }

  /** As the backend says now. */
  async containers(user: User, id: string): Promise<ContainerView[]> {
    const { client, store } = this.#parts;
    await this.#managed(user, id);
    const outcome = await client.send(id, "list-containers", {});
    if (outcome.kind !== "reply" || !outcome.reply.success) throw whyNot(outcome);
    const records = await store.instances.ofBackend(id);
    return outcome.reply.data.containers.map((container) => {
      const { containerId, username, state, ports, image, createdAt } = container;
      const cause = causeOf(
        container,
        records.find((record) => isOf(record, container)),
      );
      return { containerId, username, state, ports, image, createdAt, cause };
    });
  }

  async mintKey(user: User, id: string): Promise<MintedKey> {
    return this.#parts.keys.mint((await this.#managed(user, id)).id);
  }

  async listKeys(user: User, id: string, query: PageQuery): Promise<Page<KeyView>> {
    return this.#parts.keys.list((await this.#managed(user, id)).id, query);
  }

  async revokeKey(user: User, id: string, keyId: string): Promise<void> {
    await this.#parts.keys.revoke((await this.#managed(user, id)).id, keyId);
  }

  async #usable(userId: string, id: string): Promise<BackendRecord> {
    const record = await this.#parts.store.backends.get(id);
    if (record && (record.ownerId === null || record.ownerId === userId)) return record;
    throw new ServiceError("NOT_FOUND", "There is no such backend.");
  }

  async #managed(user: User, id: string): Promise<BackendRecord> {
    const record = await this.#usable(user.id, id);
    if (manages(user, record)) return record;
    throw new ServiceError("FORBIDDEN", "A shared backend is managed by the admins.");
  }

  #view(user: User, record: BackendRecord): BackendView {
    const { registry, unknown } = this.#parts;
    const connection = registry.online(record.id);
    const status = registry.statusOf(record.id) ?? record.lastStatus;
    const lastSeenAt = connection ? momentOf(connection.heardAt) : record.lastSeenAt;
    const unknownContainers = unknown.countOn(record.id);
    return {
      id: record.id,
      name: record.name,
      shared: record.ownerId === null,
      status: connection ? "online" : "offline",
      version: status?.version ?? null,
      capacity: status?.capacity ?? null,
      usage: status?.usage ?? null,
      draining: status?.draining ?? false,
      docker: status?.docker ?? null,
      addresses: status?.addresses ?? [],
      unknownContainers,
      why: whyBackend(connection !== undefined, lastSeenAt, connection?.status ?? null, unknownContainers),
      mine: manages(user, record),
      createdAt: record.createdAt,
      lastSeenAt,
    };
  }
}

/** Whose own it is; a shared one is every admin's. */
export const manages = ({ id, role }: User, { ownerId }: Pick<BackendRecord, "ownerId">): boolean =>
  ownerId === null ? role === "admin" : ownerId === id;

/** One that is being created has no container on its record yet. */
const isOf = ({ containerId, state, username }: InstanceRecord, container: Container): boolean =>
  containerId === container.containerId || (state === "creating" && username === container.username);

/** From the monotonic clock to the wall's. */
const momentOf = (heardAt: number) => new Date(Date.now() - (performance.now() - heardAt)).toISOString();
