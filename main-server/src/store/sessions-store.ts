import { toUser, type User } from "./accounts-store.ts";
import type { Database } from "./database.ts";
import { prepared } from "./prepared.ts";
import type { UsersTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

type UserRow = Pick<UsersTable, "id" | "username" | "created_at">;

export class SessionsStore {
  readonly #db: Database;
  readonly #writes: Writes;
  readonly #valid: (tokenHash: string, now: string) => Promise<UserRow[]>;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
    const ofSession = db
      .selectFrom("sessions")
      .innerJoin("users", "users.id", "sessions.user_id")
      .select(["users.id", "users.username", "users.created_at"]);
    this.#valid = prepared(
      db,
      ofSession.where("sessions.token_hash", "=", "the hash").where("sessions.expires_at", ">", "now"),
    );
  }

  async add(tokenHash: string, userId: string, expiresAt: Date): Promise<void> {
    const row = { token_hash: tokenHash, user_id: userId, created_at: now(), expires_at: expiresAt.toISOString() };
    await this.#writes.run(this.#db.insertInto("sessions").values(row));
  }

  async userOf(tokenHash: string): Promise<User | undefined> {
    const [row] = await this.#valid(tokenHash, now());
    return row && toUser(row);
  }

  async remove(tokenHash: string): Promise<void> {
    await this.#writes.run(this.#db.deleteFrom("sessions").where("token_hash", "=", tokenHash));
  }

  async removeExpired(): Promise<void> {
    await this.#writes.run(this.#db.deleteFrom("sessions").where("expires_at", "<=", now()));
  }
}

const now = () => new Date().toISOString();
