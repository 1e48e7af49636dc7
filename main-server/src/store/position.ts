import { sql, type RawBuilder } from "kysely";

/** A place in a list that is ordered by age. */
export interface Position {
  createdAt: string;
  id: string;
}

/** Before every item: with it a list's first page is read like any other, by the index and no further. */
export const BEGINNING: Position = { createdAt: "", id: "" };
/** After every item: times begin with a digit. */
export const END: Position = { createdAt: "~", id: "" };

/** The id decides between two of the same moment. */
export const isBefore = (
  table: "instances" | "sessions" | "invitations" | "audit_entries",
  { createdAt, id }: Position,
): RawBuilder<boolean> =>
  sql<boolean>`(${sql.table(table)}.created_at, ${sql.table(table)}.id) < (${createdAt}, ${id})`;

export const isAfter = (
  table: "backends" | "backend_keys" | "saved_keys" | "users",
  { createdAt, id }: Position,
): RawBuilder<boolean> =>
  sql<boolean>`(${sql.table(table)}.created_at, ${sql.table(table)}.id) > (${createdAt}, ${id})`;
