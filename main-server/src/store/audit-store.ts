import type { AuditAction, AuditEntry } from "@dockhost/protocol/rest";
import { sql } from "kysely";
import type { Database } from "./database.ts";
import { END, isBefore, type Position } from "./position.ts";
import type { AuditEntriesTable } from "./schema.ts";
import type { Writes } from "./writes.ts";

/** What was done or tried, by whom and to what. */
export interface AuditRecord extends Pick<
  AuditEntry,
  "id" | "username" | "subject" | "subjectName" | "outcome" | "detail" | "address"
> {
  createdAt: string;
  /** Null where it is nobody's account. */
  userId: string | null;
  action: AuditAction;
}

export interface AuditFilter {
  userId?: string | undefined;
  action?: AuditAction | undefined;
}

export class AuditStore {
  readonly #db: Database;
  readonly #writes: Writes;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
  }

  async add({ id, createdAt, userId, username, subjectName, ...told }: AuditRecord): Promise<void> {
    const row = { id, created_at: createdAt, user_id: userId, username, subject_name: subjectName, ...told };
    await this.#writes.run(this.#db.insertInto("audit_entries").values(row));
  }

  /** Newest first. */
  async page({ userId, action }: AuditFilter, limit: number, after: Position = END): Promise<AuditRecord[]> {
    let query = this.#db.selectFrom("audit_entries").selectAll().where(isBefore("audit_entries", after));
    if (userId !== undefined) query = query.where("user_id", "=", userId);
    if (action !== undefined) query = query.where("action", "=", action);
    const newestFirst = query.orderBy("created_at", "desc").orderBy("id", "desc");
    return (await newestFirst.limit(limit).execute()).map(toRecord);
  }

  /** Those before a moment, and the oldest ones beyond `atMost`. */
  async prune(before: Date, atMost: number): Promise<void> {
    const entries = this.#db.deleteFrom("audit_entries");
    const newest = sql<number>`(select max(seq) from audit_entries)`;
    const aged = entries.where("created_at", "<", before.toISOString());
    const surplus = entries.where("seq", "<=", sql<number>`${newest} - ${atMost}`);
    await Promise.all([this.#writes.run(aged), this.#writes.run(surplus)]);
  }
}

const toRecord = (row: Omit<AuditEntriesTable, "seq">): AuditRecord => ({
  id: row.id,
  createdAt: row.created_at,
  userId: row.user_id,
  username: row.username,
  action: row.action as AuditAction,
  subject: row.subject,
  subjectName: row.subject_name,
  outcome: row.outcome as AuditEntry["outcome"],
  detail: row.detail,
  address: row.address,
});
