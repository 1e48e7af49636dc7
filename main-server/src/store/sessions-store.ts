import { randomUUID } from "node:crypto";
import { toUser, type User } from "./accounts-store.ts";
import type { Database } from "./database.ts";
import { prepared } from "./prepared.ts";
import { isBefore, type Position } from "./position.ts";
import type { SessionsTable, UsersTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

/** From where somebody signed in. */
export interface Client {
  address: string;
  userAgent: string | null;
}

export interface SessionRecord {
  id: string;
  tokenHash: string;
  address: string | null;
  userAgent: string | null;
  createdAt: string;
  expiresAt: string;
}

type UserRow = Pick<UsersTable, "id" | "username" | "role" | "created_at">;

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
      .select(["users.id", "users.username", "users.role", "users.created_at"]);
    this.#valid = prepared(
      db,
      ofSession.where("sessions.token_hash", "=", "the hash").where("sessions.expires_at", ">", "now"),
    );
  }

  async add(tokenHash: string, userId: string, expiresAt: Date, { address, userAgent }: Client): Promise<void> {
    const row = { id: randomUUID(), token_hash: tokenHash, user_id: userId, address, user_agent: userAgent };
    const times = { created_at: now(), expires_at: expiresAt.toISOString() };
    await this.#writes.run(this.#db.insertInto("sessions").values({ ...row, ...times }));
  }

  /** The live ones, newest first. */
  async ofUser(userId: string, limit: number, after: Position | undefined): Promise<SessionRecord[]> {
    let query = this.#db.selectFrom("sessions").selectAll().where("user_id", "=", userId);
    if (after) query = query.where(isBefore("sessions", after));
    const living = query.where("expires_at", ">", now());
    return (await living.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit).execute()).map(toRecord);
  }

  /** Whether there was such a session of theirs. */
  async end(userId: string, id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("sessions").where("user_id", "=", userId).where("id", "=", id);
    return (await this.#writes.run(query)) > 0;
  }

  async endOthers(userId: string, tokenHash: string): Promise<void> {
    const query = this.#db.deleteFrom("sessions").where("user_id", "=", userId).where("token_hash", "<>", tokenHash);
    await this.#writes.run(query);
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

const toRecord = (row: SessionsTable): SessionRecord => ({
  id: row.id,
  tokenHash: row.token_hash,
  address: row.address,
  userAgent: row.user_agent,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

const now = () => new Date().toISOString();
