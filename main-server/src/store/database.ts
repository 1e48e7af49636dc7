import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Kysely, Migrator } from "kysely";
import { MIGRATIONS } from "./migrations.ts";
import type { Schema } from "./schema.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

export type Database = Kysely<Schema>;

const DATABASE_FILE = "main-server.sqlite";

/** The store cannot be opened. `message` is one sentence for whoever starts the server. */
export class StoreError extends Error {
  constructor(dataDir: string, cause: unknown) {
    super(`The data directory ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
    });
    this.name = "StoreError";
  }
}

/** Opens the store of `dataDir`, made where it is missing, with every migration applied; its owner alone can read it. Throws StoreError. */
export async function openDatabase(dataDir: string): Promise<Database> {
  try {
    return await openIn(dataDir);
  } catch (error) {
    throw new StoreError(dataDir, error);
  }
}

async function openIn(dataDir: string): Promise<Database> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, DATABASE_FILE);
  makePrivate(file);
  const sqlite = new DatabaseSync(file);
  sqlite.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
  sqlite.exec("pragma busy_timeout = 1000");
  const database = new Kysely<Schema>({ dialect: sqliteDialect(sqlite) });
  await migrate(database);
  return database;
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
