import { randomUUID } from "node:crypto";
import { isUniqueViolation, type Database } from "./database.ts";
import { isAfter, type Position } from "./position.ts";
import type { SavedKeysTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface SavedKey {
  id: string;
  name: string;
  /** An OpenSSH public key line in its canonical form. */
  line: string;
  /** `SHA256:…` */
  fingerprint: string;
  createdAt: string;
}

export type NewSavedKey = Pick<SavedKey, "name" | "line" | "fingerprint">;

/** The SSH keys that people have saved for instances to come. */
export class SavedKeysStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  /** Undefined where they have saved it already. */
  async add(userId: string, key: NewSavedKey): Promise<SavedKey | undefined> {
    const saved = { ...key, id: randomUUID(), createdAt: new Date().toISOString() };
    const { id, name, line, fingerprint, createdAt } = saved;
    const row = { id, user_id: userId, name, line, fingerprint, created_at: createdAt };
    try {
      await this.#writes.run(this.#db.insertInto("saved_keys").values(row));
      return saved;
    } catch (error) {
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  }

  /** Oldest first. */
  async ofUser(userId: string, limit: number, after: Position | undefined): Promise<SavedKey[]> {
    let query = this.#db.selectFrom("saved_keys").selectAll().where("user_id", "=", userId);
    if (after) query = query.where(isAfter("saved_keys", after));
    return (await query.orderBy("created_at").orderBy("id").limit(limit).execute()).map(toSavedKey);
  }

  /** Whether there was such a key of theirs. */
  async remove(userId: string, id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("saved_keys").where("id", "=", id).where("user_id", "=", userId);
    return (await this.#writes.run(query)) > 0;
  }
}

const toSavedKey = ({ id, name, line, fingerprint, created_at: createdAt }: SavedKeysTable): SavedKey => ({
  id,
  name,
  line,
  fingerprint,
  createdAt,
});
