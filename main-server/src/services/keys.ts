import type { BackendIdentity } from "../backends/connection.ts";
import type { Registry } from "../backends/registry.ts";
import type { KeyRecord } from "../store/keys-store.ts";
import type { Store } from "../store/store.ts";
import { digestOf, isWellFormed, mintApiKey, sameSecret } from "./api-key.ts";
import { ServiceError } from "./errors.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";

/** While one is rotated, the old and the new key both serve. */
const MAX_LIVE_KEYS = 2;

export interface KeyView {
  id: string;
  prefix: string;
  createdAt: string;
}

/** A key's only showing: the store has no more than its hash. */
export interface MintedKey {
  key: KeyView;
  apiKey: string;
}

export class Keys {
  readonly #store: Store;
  readonly #registry: Registry;

  constructor(store: Store, registry: Registry) {
    this.#store = store;
    this.#registry = registry;
  }

  /** Throws CONFLICT where two are live already. */
  async mint(backendId: string): Promise<MintedKey> {
    const apiKey = mintApiKey();
    const record = await this.#store.keys.add(backendId, digestOf(apiKey), MAX_LIVE_KEYS);
    if (record) return { key: toView(record), apiKey };
    throw new ServiceError("CONFLICT", "This backend already has two live keys; revoke one of them first.");
  }

  /** Makes a key live that was minted elsewhere or before; false where it cannot be one, or is another backend's. */
  async adopt(backendId: string, apiKey: string): Promise<boolean> {
    if (!isWellFormed(apiKey) || (await this.authenticate(apiKey))) return false;
    return (await this.#store.keys.add(backendId, digestOf(apiKey), MAX_LIVE_KEYS)) !== undefined;
  }

  /** Oldest first. */
  async list(backendId: string, query: PageQuery): Promise<Page<KeyView>> {
    const { items, nextCursor } = await readPage(`keys of ${backendId}`, query, (limit, after) =>
      this.#store.keys.ofBackend(backendId, limit, after),
    );
    return { items: items.map(toView), nextCursor };
  }

  /** Whoever is connected with it is disconnected at once. */
  async revoke(backendId: string, keyId: string): Promise<void> {
    const removed = await this.#store.keys.remove(backendId, keyId);
    if (!removed) throw new ServiceError("NOT_FOUND", "This backend has no such key.");
    this.#registry.endWithKey(keyId);
  }

  /** Whose live key this is. A malformed one is refused without a query. */
  async authenticate(apiKey: string): Promise<BackendIdentity | undefined> {
    if (!isWellFormed(apiKey)) return undefined;
    const { hash } = digestOf(apiKey);
    const record = await this.#store.keys.withHash(hash);
    if (!record || !sameSecret(record.hash, hash)) return undefined;
    return { backendId: record.backendId, keyId: record.id };
  }
}

const toView = ({ id, prefix, createdAt }: KeyRecord): KeyView => ({ id, prefix, createdAt });
