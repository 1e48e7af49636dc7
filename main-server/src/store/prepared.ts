import type { Compilable } from "kysely";
import type { Database } from "./database.ts";

/**
 * A query whose text is put together once: to do that anew takes longer than SQLite takes to answer. Whatever values
 * `query` has are only places, which each call fills in their order.
 */
export function prepared<Row>(
  db: Database,
  query: Compilable<Row>,
): (...parameters: readonly string[]) => Promise<Row[]> {
  const compiled = query.compile();
  return async (...parameters) => (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
}
