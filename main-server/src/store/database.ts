import { chmodSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Kysely, Migrator } from "kysely";
import { MIGRATIONS } from "./migrations.ts";
import { originOf } from "./origin-of-file.ts";
import type { Schema } from "./schema.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { StoreError } from "./store-error.ts";

export type Database = Kysely<Schema>;

const BUSY_MS = 5_000;

export const databaseFile = (dataDir: string): string => join(dataDir, "main-server.sqlite");

/** Opens the store of `dataDir`, made where it is missing, with every migration applied; its owner alone can read it. Throws StoreError. */
export async function openDatabase(dataDir: string): Promise<Database> {
  try {
    return await openFile(databaseFile(dataDir));
  } catch (error) {
    throw new StoreError(dataDir, error);
  }
}

/** Likewise of any file. */
export async function openFile(file: string): Promise<Database> {
  makePrivate(file);
  // A backup that is just being made holds the store at its beginning and its end.
  const sqlite = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    sqlite.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
    const database = new Kysely<Schema>({ dialect: sqliteDialect(sqlite) });
    if (originOf(sqlite) === "newer") throw new Error("its database was written by a newer DockHost; update this one");
    await migrate(database);
    return database;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** Before SQLite opens it: the -wal and -shm files beside it get the same mode. */
function makePrivate(file: string): void {
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
}

async function migrate(database: Database): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  if (error !== undefined) throw new Error("its database could not be brought up to date", { cause: error });
}

/** Whether `error` says that a row with these unique columns is already there. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && error.message.includes("UNIQUE constraint failed");
}
