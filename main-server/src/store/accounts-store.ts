import { randomUUID } from "node:crypto";
import type { Role } from "@dockhost/protocol/rest";
import { sql } from "kysely";
import { isUniqueViolation, type Database } from "./database.ts";
import { BEGINNING, isAfter, type Position } from "./position.ts";
import type { UsersTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface User {
  id: string;
  username: string;
  role: Role;
  createdAt: string;
}

export interface UserWithInstances extends User {
  /** So many instances of theirs there are, gone ones aside. */
  instances: number;
}

/** An admin there is from the first account on: it is made one, and the last one stays one. */
export class AccountsStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  /** The first account is an admin's, every other one an operator's. Undefined where the name is taken, in whatever case. */
  async add(username: string, passwordHash: string): Promise<User | undefined> {
    const role = sql<Role>`case when exists ${anAdmin(this.#db)} then 'operator' else 'admin' end`;
    const row = rowOf(username, passwordHash);
    const added = await unlessTaken(this.#writes.run(this.#db.insertInto("users").values({ ...row, role })));
    return added === undefined ? undefined : this.get(row.id);
  }

  /** Spends the invitation and makes its account, both or neither. */
  async addInvited(username: string, passwordHash: string, tokenHash: string): Promise<User | "taken" | "not-invited"> {
    const row = rowOf(username, passwordHash);
    const added = this.#db.transaction().execute(async (db) => {
      const spent = db.deleteFrom("invitations").where("token_hash", "=", tokenHash).where("expires_at", ">", now());
      const invitation = await spent.returning("role").executeTakeFirst();
      if (!invitation) return "not-invited";
      await db
        .insertInto("users")
        .values({ ...row, role: invitation.role })
        .execute();
      return toUser({ ...row, role: invitation.role });
    });
    return (await unlessTaken(added)) ?? "taken";
  }

  async get(id: string): Promise<User | undefined> {
    const row = await this.#db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toUser(row);
  }

  async withPasswordHash(username: string): Promise<{ user: User; passwordHash: string } | undefined> {
    const query = this.#db.selectFrom("users").selectAll().where("username_key", "=", keyOf(username));
    const row = await query.executeTakeFirst();
    return row && { user: toUser(row), passwordHash: row.password_hash };
  }

  /** Oldest first. */
  async page(limit: number, after: Position = BEGINNING): Promise<UserWithInstances[]> {
    const instances = sql<number>`(select count(*) from instances where user_id = users.id and state <> 'gone')`;
    const query = this.#db.selectFrom("users").selectAll().select(instances.as("instances"));
    const page = query.where(isAfter("users", after)).orderBy("created_at").orderBy("id").limit(limit);
    return (await page.execute()).map((row) => ({ ...toUser(row), instances: row.instances }));
  }

  async setPasswordHash(userId: string, passwordHash: string): Promise<void> {
    const query = this.#db.updateTable("users").set({ password_hash: passwordHash }).where("id", "=", userId);
    await this.#writes.run(query);
  }

  /** False where there is no such account, or none would be an admin's any more. */
  async setRole(id: string, role: Role): Promise<boolean> {
    const another = anAdmin(this.#db).where("id", "<>", id);
    const query = this.#db.updateTable("users").set({ role }).where("id", "=", id);
    const guarded = role === "admin" ? query : query.where((where) => where.exists(another));
    return (await this.#writes.run(guarded)) > 0;
  }

  async any(): Promise<boolean> {
    return (await anAdmin(this.#db).limit(1).executeTakeFirst()) !== undefined;
  }
}

const anAdmin = (db: Database) =>
  db.selectFrom("users as admins").select("admins.id").where("admins.role", "=", "admin");

const rowOf = (username: string, passwordHash: string) => ({
  id: randomUUID(),
  username,
  username_key: keyOf(username),
  password_hash: passwordHash,
  created_at: now(),
});

/** Undefined where the write failed because its name is taken. */
async function unlessTaken<Result>(write: Promise<Result>): Promise<Result | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isUniqueViolation(error)) return undefined;
    throw error;
  }
}

const keyOf = (username: string) => username.toLowerCase();

const now = () => new Date().toISOString();

export const toUser = (row: Pick<UsersTable, "id" | "username" | "role" | "created_at">): User => ({
  id: row.id,
  username: row.username,
  role: row.role as Role,
  createdAt: row.created_at,
});
