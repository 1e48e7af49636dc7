import { randomUUID } from "node:crypto";
import { isUniqueViolation, type Database } from "./database.ts";
import type { UsersTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface User {
  id: string;
  username: string;
  createdAt: string;
}

export class AccountsStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  /** Undefined where the name is taken, in whatever case. */
  async add(username: string, passwordHash: string): Promise<User | undefined> {
    const user = { id: randomUUID(), username, createdAt: new Date().toISOString() };
    const row = { id: user.id, username, password_hash: passwordHash, created_at: user.createdAt };
    try {
      await this.#writes.run(this.#db.insertInto("users").values({ ...row, username_key: keyOf(username) }));
      return user;
    } catch (error) {
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  }

  async withPasswordHash(username: string): Promise<{ user: User; passwordHash: string } | undefined> {
    const query = this.#db.selectFrom("users").selectAll().where("username_key", "=", keyOf(username));
    const row = await query.executeTakeFirst();
    return row && { user: toUser(row), passwordHash: row.password_hash };
  }

  async setPasswordHash(userId: string, passwordHash: string): Promise<void> {
    const query = this.#db.updateTable("users").set({ password_hash: passwordHash }).where("id", "=", userId);
    await this.#writes.run(query);
  }

  async any(): Promise<boolean> {
    return (await this.#db.selectFrom("users").select("id").limit(1).executeTakeFirst()) !== undefined;
  }
}

const keyOf = (username: string) => username.toLowerCase();

export const toUser = (row: Pick<UsersTable, "id" | "username" | "created_at">): User => ({
  id: row.id,
  username: row.username,
  createdAt: row.created_at,
});
