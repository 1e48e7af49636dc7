import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Kysely, Migrator, sql } from "kysely";
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

test("an instance that stood still before wishes were recorded was stopped by its owner", async () => {
  const sqlite = new DatabaseSync(join(temporaryDirectory(), "store.sqlite"));
  const db = new Kysely<Schema>({ dialect: sqliteDialect(sqlite) });
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
  await migrator.migrateTo("0003-known-sessions-and-saved-keys");
  await sql`insert into users values ('u', 'ada', 'ada', 'hash', '2026')`.execute(db);
  for (const state of ["running", "stopped", "failed"]) {
    await sql`insert into backends (id, name, created_at) values (${state}, 'lab-1', '2026')`.execute(db);
    await sql`insert into instances (id, user_id, backend_id, state, created_at)
      values (${state}, 'u', ${state}, ${state}, '2026')`.execute(db);
  }
  expect((await migrator.migrateToLatest()).error).toBeUndefined();
  const rows = await db.selectFrom("instances").select(["id", "wished_state", "host_key"]).orderBy("id").execute();
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { id: "failed", wished_state: "running", host_key: null },
    { id: "running", wished_state: "running", host_key: null },
    { id: "stopped", wished_state: "stopped", host_key: null },
  ]);
  await db.destroy();
});
