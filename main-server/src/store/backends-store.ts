import { randomUUID } from "node:crypto";
import { BackendStatus } from "@dockhost/protocol";
import type { ExpressionBuilder } from "kysely";
import type { Database } from "./database.ts";
import { insertKey, type KeyDigest } from "./keys-store.ts";
import { isAfter, type Position } from "./position.ts";
import type { BackendsTable, Schema } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface BackendRecord {
  id: string;
  name: string;
  /** Null: shared, it serves everyone. */
  ownerId: string | null;
  createdAt: string;
  lastSeenAt: string | null;
  lastStatus: BackendStatus | null;
  remoteAddress: string | null;
}

/** What is known of a backend that is not connected. */
export type LastWhereabouts = Pick<BackendRecord, "name" | "lastSeenAt" | "remoteAddress"> &
  Pick<BackendStatus, "addresses">;

/** What is known of a backend each time that it is seen. */
export interface Sighting {
  remoteAddress: string;
  status: BackendStatus | undefined;
}

export class BackendsStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  async add(name: string, ownerId: string | null): Promise<BackendRecord> {
    return insert(this.#db, name, ownerId);
  }

  /** With its first key, or not at all: without one nobody could ever join. */
  async addWithKey(name: string, ownerId: string, key: KeyDigest): Promise<BackendRecord> {
    return this.#db.transaction().execute(async (db) => {
      const record = await insert(db, name, ownerId);
      await insertKey(db, record.id, key);
      return record;
    });
  }

  async get(id: string): Promise<BackendRecord | undefined> {
    const row = await this.#db.selectFrom("backends").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async sharedByName(name: string): Promise<BackendRecord | undefined> {
    const query = this.#db.selectFrom("backends").selectAll().where("owner_id", "is", null).where("name", "=", name);
    const row = await query.executeTakeFirst();
    return row && toRecord(row);
  }

  /** The ids of those that the user may place on: their own, and the shared ones. */
  async usableBy(userId: string): Promise<string[]> {
    const rows = await this.#db.selectFrom("backends").select("id").where(isUsableBy(userId)).execute();
    return rows.map(({ id }) => id);
  }

  /** Those in pages, oldest first. Each half is read in its index's order: a page costs the same however many there are. */
  async pageUsableBy(userId: string, limit: number, after: Position | undefined): Promise<BackendRecord[]> {
    const [own, shared] = [this.#ownedBy(userId, after), this.#ownedBy(null, after)];
    const page = own.unionAll(shared).orderBy("created_at").orderBy("id").limit(limit);
    return (await page.execute()).map(toRecord);
  }

  /** What each of these is called, where it was last seen and when, and what it then said its addresses are. */
  async whereabouts(ids: readonly string[]): Promise<Map<string, LastWhereabouts>> {
    if (ids.length === 0) return new Map();
    const query = this.#db.selectFrom("backends").select([...WHEREABOUTS]);
    const rows = await query.where("id", "in", ids).execute();
    return new Map(rows.map((row) => [row.id, toWhereabouts(row)]));
  }

  #ownedBy(ownerId: string | null, after: Position | undefined) {
    const query = this.#db.selectFrom("backends").selectAll().where("owner_id", "is", ownerId);
    return after ? query.where(isAfter("backends", after)) : query;
  }

  /** With its keys; false where an instance, gone ones aside, still stands on it. */
  async remove(id: string): Promise<boolean> {
    return this.#db.transaction().execute(async (db) => {
      const onIt = db.selectFrom("instances").select("id").where("backend_id", "=", id).where("state", "<>", "gone");
      if (await onIt.executeTakeFirst()) return false;
      await db.deleteFrom("instances").where("backend_id", "=", id).execute();
      await db.deleteFrom("backends").where("id", "=", id).execute();
      return true;
    });
  }

  async saw(id: string, { remoteAddress, status }: Sighting): Promise<void> {
    const seen = { last_seen_at: new Date().toISOString(), remote_address: remoteAddress };
    const told = status === undefined ? {} : { last_status: JSON.stringify(status) };
    const query = this.#db.updateTable("backends").set({ ...seen, ...told });
    await this.#writes.run(query.where("id", "=", id));
  }
}

const isUsableBy = (userId: string) => (where: ExpressionBuilder<Schema, "backends">) =>
  where.or([where("owner_id", "=", userId), where("owner_id", "is", null)]);

async function insert(db: Database, name: string, ownerId: string | null): Promise<BackendRecord> {
  const row = { id: randomUUID(), name, owner_id: ownerId, created_at: new Date().toISOString() };
  return toRecord(await db.insertInto("backends").values(row).returningAll().executeTakeFirstOrThrow());
}

const toRecord = (row: BackendsTable): BackendRecord => ({
  id: row.id,
  name: row.name,
  ownerId: row.owner_id,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  lastStatus: row.last_status === null ? null : storedStatus(row.last_status),
  remoteAddress: row.remote_address,
});

const WHEREABOUTS = ["id", "name", "last_seen_at", "remote_address", "last_status"] as const;

const toWhereabouts = (row: Pick<BackendsTable, (typeof WHEREABOUTS)[number]>): LastWhereabouts => ({
  name: row.name,
  lastSeenAt: row.last_seen_at,
  remoteAddress: row.remote_address,
  addresses: (row.last_status === null ? null : storedStatus(row.last_status))?.addresses ?? [],
});

/** A status that an older version wrote may no longer fit. */
function storedStatus(json: string): BackendStatus | null {
  return BackendStatus.safeParse(JSON.parse(json)).data ?? null;
}
