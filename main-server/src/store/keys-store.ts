import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import { isAfter, type Position } from "./position.ts";
import type { BackendKeysTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface KeyRecord {
  id: string;
  backendId: string;
  hash: string;
  prefix: string;
  createdAt: string;
}

/** All that is kept of a key: what finds it again, and what a person knows it by. */
export type KeyDigest = Pick<KeyRecord, "hash" | "prefix">;

export class KeysStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  /** Undefined where the backend already has `atMost` keys. */
  async add(backendId: string, key: KeyDigest, atMost: number): Promise<KeyRecord | undefined> {
    return this.#db.transaction().execute(async (db) => {
      const live = await db.selectFrom("backend_keys").select("id").where("backend_id", "=", backendId).execute();
      return live.length < atMost ? insertKey(db, backendId, key) : undefined;
    });
  }

  async withHash(hash: string): Promise<KeyRecord | undefined> {
    const row = await this.#db.selectFrom("backend_keys").selectAll().where("hash", "=", hash).executeTakeFirst();
    return row && toRecord(row);
  }

  /** Oldest first. */
  async ofBackend(backendId: string, limit: number, after: Position | undefined): Promise<KeyRecord[]> {
    let query = this.#db.selectFrom("backend_keys").selectAll().where("backend_id", "=", backendId);
    if (after) query = query.where(isAfter("backend_keys", after));
    return (await query.orderBy("created_at").orderBy("id").limit(limit).execute()).map(toRecord);
  }

  /** Whether there was such a key. */
  async remove(backendId: string, keyId: string): Promise<boolean> {
    const query = this.#db.deleteFrom("backend_keys").where("id", "=", keyId).where("backend_id", "=", backendId);
    return (await this.#writes.run(query)) > 0;
  }

  async removeAllOf(backendId: string): Promise<void> {
    await this.#writes.run(this.#db.deleteFrom("backend_keys").where("backend_id", "=", backendId));
  }
}

export async function insertKey(db: Database, backendId: string, { hash, prefix }: KeyDigest): Promise<KeyRecord> {
  const row = { id: randomUUID(), backend_id: backendId, hash, prefix, created_at: new Date().toISOString() };
  return toRecord(await db.insertInto("backend_keys").values(row).returningAll().executeTakeFirstOrThrow());
}

const toRecord = (row: BackendKeysTable): KeyRecord => ({
  id: row.id,
  backendId: row.backend_id,
  hash: row.hash,
  prefix: row.prefix,
  createdAt: row.created_at,
});
