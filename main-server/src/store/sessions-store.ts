import { toUser, type User } from "./accounts-store.ts";
import type { Database } from "./database.ts";

export class SessionsStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async add(tokenHash: string, userId: string, expiresAt: Date): Promise<void> {
    const row = { token_hash: tokenHash, user_id: userId, created_at: now(), expires_at: expiresAt.toISOString() };
    await this.#db.insertInto("sessions").values(row).execute();
  }

  async userOf(tokenHash: string): Promise<User | undefined> {
    const row = await this.#db
      .selectFrom("sessions")
      .innerJoin("users", "users.id", "sessions.user_id")
      .select(["users.id", "users.username", "users.created_at"])
      .where("sessions.token_hash", "=", tokenHash)
      .where("sessions.expires_at", ">", now())
      .executeTakeFirst();
    return row && toUser(row);
  }

  async remove(tokenHash: string): Promise<void> {
    await this.#db.deleteFrom("sessions").where("token_hash", "=", tokenHash).execute();
  }

  async removeExpired(): Promise<void> {
    await this.#db.deleteFrom("sessions").where("expires_at", "<=", now()).execute();
  }
}

const now = () => new Date().toISOString();
