import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Kysely, Migrator } from "kysely";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../testing/main-server.ts";
import { openFile } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Schema } from "./schema.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

test("who came first to a store without roles is its admin, and everyone else may register backends as before", async () => {
  const file = join(temporaryDirectory(), "store.sqlite");
  const sqlite = new DatabaseSync(file);
  const older = new Kysely<Schema>({ dialect: sqliteDialect(sqlite) });
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  await new Migrator({ db: older, provider }).migrateTo("0003-known-sessions-and-saved-keys");
  const add = sqlite.prepare(
    "insert into users (id, username, username_key, password_hash, created_at) values (?, ?, ?, '', ?)",
  );
  for (const [name = "", year = ""] of [
    ["bob", "2026"],
    ["ada", "2025"],
    ["eve", "2027"],
  ])
    add.run(name, name, name, `${year}-01-01T00:00:00.000Z`);
  await older.destroy();
  const db = await openFile(file);
  expect(await db.selectFrom("users").select(["username", "role"]).orderBy("username").execute()).toEqual([
    { username: "ada", role: "admin" },
    { username: "bob", role: "operator" },
    { username: "eve", role: "operator" },
  ]);
  await db.destroy();
});
