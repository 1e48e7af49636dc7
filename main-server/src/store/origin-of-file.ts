import type { DatabaseSync } from "@photostructure/sqlite";
import { MIGRATIONS } from "./migrations.ts";

/** Who wrote a database: a DockHost no newer than this one, a newer one, nobody yet, or some other program. */
export type Origin = "ours" | "newer" | "empty" | "foreign";

/** Told by the migrations on its record, which are ours in their order, and perhaps more. */
export function originOf(sqlite: InstanceType<typeof DatabaseSync>): Origin {
  const tables = namesIn(sqlite, "select name from sqlite_master where type = 'table'");
  if (tables.length === 0) return "empty";
  if (!tables.includes("kysely_migration")) return "foreign";
  const applied = namesIn(sqlite, "select name from kysely_migration order by name");
  const known = Object.keys(MIGRATIONS).sort();
  const shared = Math.min(applied.length, known.length);
  if (shared === 0 || applied.slice(0, shared).join() !== known.slice(0, shared).join()) return "foreign";
  return applied.length > known.length ? "newer" : "ours";
}

function namesIn(sqlite: InstanceType<typeof DatabaseSync>, query: string): string[] {
  return (sqlite.prepare(query).all() as { name: string }[]).map(({ name }) => name);
}
