import { randomUUID } from "node:crypto";
import type { Role } from "@dockhost/protocol/rest";
import type { Database } from "./database.ts";
import { END, isBefore, type Position } from "./position.ts";
import type { InvitationsTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

export interface Invitation {
  id: string;
  /** Of the account that is made with it. */
  role: Role;
  note: string | null;
  createdAt: string;
  expiresAt: string;
  /** The username of who invites. */
  createdBy: string;
}

export interface NewInvitation extends Pick<Invitation, "role" | "note" | "createdBy"> {
  tokenHash: string;
  /** Of who invites. */
  userId: string;
  expiresAt: Date;
}

/** Those that have neither been used nor revoked; `AccountsStore` spends them. */
export class InvitationsStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  async add({ tokenHash, userId, expiresAt, ...told }: NewInvitation): Promise<Invitation> {
    const times = { createdAt: now(), expiresAt: expiresAt.toISOString() };
    const invitation = { id: randomUUID(), ...told, ...times };
    const row = { id: invitation.id, token_hash: tokenHash, role: told.role, note: told.note, created_by: userId };
    const stored = { ...row, created_at: times.createdAt, expires_at: times.expiresAt };
    await this.#writes.run(this.#db.insertInto("invitations").values(stored));
    return invitation;
  }

  /** Whether it could be used now. */
  async isLive(tokenHash: string): Promise<boolean> {
    const query = this.#db.selectFrom("invitations").select("id").where("token_hash", "=", tokenHash);
    return (await query.where("expires_at", ">", now()).executeTakeFirst()) !== undefined;
  }

  /** Newest first. */
  async page(limit: number, after: Position = END): Promise<Invitation[]> {
    const query = this.#db
      .selectFrom("invitations")
      .innerJoin("users", "users.id", "invitations.created_by")
      .selectAll("invitations")
      .select("users.username")
      .where(isBefore("invitations", after))
      .where("expires_at", ">", now());
    const newestFirst = query.orderBy("invitations.created_at", "desc").orderBy("invitations.id", "desc");
    return (await newestFirst.limit(limit).execute()).map(toInvitation);
  }

  /** Whether there was such an invitation. */
  async remove(id: string): Promise<boolean> {
    return (await this.#writes.run(this.#db.deleteFrom("invitations").where("id", "=", id))) > 0;
  }

  async removeExpired(): Promise<void> {
    await this.#writes.run(this.#db.deleteFrom("invitations").where("expires_at", "<=", now()));
  }
}

const toInvitation = (row: InvitationsTable & { username: string }): Invitation => ({
  id: row.id,
  role: row.role as Role,
  note: row.note,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  createdBy: row.username,
});

const now = () => new Date().toISOString();
