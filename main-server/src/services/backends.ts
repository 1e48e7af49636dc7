import type { BackendStatus } from "@dockhost/protocol";
import type { BackendClient } from "../backends/backend-client.ts";
import type { Registry } from "../backends/registry.ts";
import type { BackendRecord } from "../store/backends-store.ts";
import type { Store } from "../store/store.ts";
import { digestOf, mintApiKey } from "./api-key.ts";
import { ServiceError } from "./errors.ts";
import type { Keys, KeyView, MintedKey } from "./keys.ts";
import { whyNot } from "./outcomes.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import type { UnknownContainers } from "./unknown-containers.ts";

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
  createdAt: string;
  lastSeenAt: string | null;
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

  async create(userId: string, name: string): Promise<{ backend: BackendView; apiKey: string }> {
    const apiKey = mintApiKey();
    const record = await this.#parts.store.backends.addWithKey(name, userId, digestOf(apiKey));
    return { backend: this.#view(record), apiKey };
  }

  /** Those that the user may place on, oldest first. */
  async list(userId: string, query: PageQuery): Promise<Page<BackendView>> {
    const { items, nextCursor } = await readPage(`backends of ${userId}`, query, (limit, after) =>
      this.#parts.store.backends.pageUsableBy(userId, limit, after),
    );
    return { items: items.map((record) => this.#view(record)), nextCursor };
  }

  async get(userId: string, id: string): Promise<BackendView> {
    return this.#view(await this.#usable(userId, id));
  }

  /** Its agent is disconnected. Throws CONFLICT while an instance is on it. */
  async remove(userId: string, id: string): Promise<void> {
    const { store, registry } = this.#parts;
    await this.#owned(userId, id);
    const removed = await store.backends.remove(id);
    if (!removed) throw new ServiceError("CONFLICT", "This backend still has instances; delete them first.");
    registry.endOf(id);
  }

  /** A backend that drains takes no new instance and serves those that it has. */
  async setDraining(userId: string, id: string, draining: boolean): Promise<{ draining: boolean }> {
    await this.#owned(userId, id);
    const outcome = await this.#parts.client.send(id, "set-draining", { draining });
    if (outcome.kind === "reply" && outcome.reply.success) return outcome.reply.data;
    throw whyNot(outcome);
  }

  async mintKey(userId: string, id: string): Promise<MintedKey> {
    return this.#parts.keys.mint((await this.#owned(userId, id)).id);
  }

  async listKeys(userId: string, id: string, query: PageQuery): Promise<Page<KeyView>> {
    return this.#parts.keys.list((await this.#owned(userId, id)).id, query);
  }

  async revokeKey(userId: string, id: string, keyId: string): Promise<void> {
    await this.#parts.keys.revoke((await this.#owned(userId, id)).id, keyId);
  }

  async #usable(userId: string, id: string): Promise<BackendRecord> {
    const record = await this.#parts.store.backends.get(id);
    if (record && (record.ownerId === null || record.ownerId === userId)) return record;
    throw new ServiceError("NOT_FOUND", "There is no such backend.");
  }

  async #owned(userId: string, id: string): Promise<BackendRecord> {
    const record = await this.#usable(userId, id);
    if (record.ownerId === userId) return record;
    throw new ServiceError("FORBIDDEN", "A shared backend is managed by whoever runs the main server.");
  }

  #view(record: BackendRecord): BackendView {
    const { registry, unknown } = this.#parts;
    const connection = registry.online(record.id);
    const status = registry.statusOf(record.id) ?? record.lastStatus;
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
      unknownContainers: unknown.countOn(record.id),
      createdAt: record.createdAt,
      lastSeenAt: connection ? momentOf(connection.heardAt) : record.lastSeenAt,
    };
  }
}

/** From the monotonic clock to the wall's. */
const momentOf = (heardAt: number) => new Date(Date.now() - (performance.now() - heardAt)).toISOString();
