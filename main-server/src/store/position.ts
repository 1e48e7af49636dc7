import { sql, type RawBuilder } from "kysely";

/** A place in a list that is ordered by age. */
export interface Position {
  createdAt: string;
  id: string;
}

/** The id decides between two of the same moment. */
export const isBefore = (table: "instances" | "sessions", { createdAt, id }: Position): RawBuilder<boolean> =>
  sql<boolean>`(${sql.table(table)}.created_at, ${sql.table(table)}.id) < (${createdAt}, ${id})`;

export const isAfter = (
  table: "backends" | "backend_keys" | "saved_keys",
  { createdAt, id }: Position,
): RawBuilder<boolean> =>
  sql<boolean>`(${sql.table(table)}.created_at, ${sql.table(table)}.id) > (${createdAt}, ${id})`;
