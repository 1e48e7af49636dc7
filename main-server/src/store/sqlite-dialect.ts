import { DatabaseSync } from "@photostructure/sqlite";
import { SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";
import { isFullDisk, StoreFullError } from "./store-error.ts";

type Parameters = readonly unknown[];

/** Gives node:sqlite's API the face of better-sqlite3, which is the one that kysely knows. */
export function sqliteDialect(database: InstanceType<typeof DatabaseSync>): SqliteDialect {
  return new SqliteDialect({ database: asKyselyDatabase(database) });
}

/** Far more than there are queries in this room, but for lists of every length. */
const MOST_PREPARED = 256;

/** To prepare a statement takes several times as long as to run it, so each is prepared once. */
function asKyselyDatabase(database: InstanceType<typeof DatabaseSync>): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>();
  const prepare = (sql: string): SqliteStatement => {
    const statement = prepared.get(sql) ?? asKyselyStatement(database.prepare(sql));
    if (prepared.size >= MOST_PREPARED) prepared.clear();
    prepared.set(sql, statement);
    return statement;
  };
  return { close: () => database.close(), prepare: (sql) => prepare(heeding(database, sql)) };
}

/**
 * A transaction waits at its beginning for whoever else writes: later, with what it has read out of date, it would fail.
 * A full disk makes SQLite roll back by itself; kysely's own rollback would then fail, and hide why.
 */
function heeding(database: InstanceType<typeof DatabaseSync>, sql: string): string {
  if (sql === "begin") return "begin immediate";
  return sql === "rollback" && !database.isTransaction ? "select 1 where false" : sql;
}

type Statement = ReturnType<InstanceType<typeof DatabaseSync>["prepare"]>;

function asKyselyStatement(statement: Statement): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters: Parameters) => tellingFullDisk(() => statement.all(...parameters) as unknown[]),
    run: (parameters: Parameters) => tellingFullDisk(() => statement.run(...parameters)),
    iterate: (parameters: Parameters) => statement.iterate(...parameters) as IterableIterator<unknown>,
  };
}

function tellingFullDisk<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw isFullDisk(error) ? new StoreFullError(error) : error;
  }
}
