import { DatabaseSync } from "@photostructure/sqlite";
import { SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";
import { isFullDisk, StoreFullError } from "./store-error.ts";

type Parameters = readonly unknown[];

/** Gives node:sqlite's API the face of better-sqlite3, which is the one that kysely knows. */
export function sqliteDialect(database: InstanceType<typeof DatabaseSync>): SqliteDialect {
  return new SqliteDialect({ database: asKyselyDatabase(database) });
}

function asKyselyDatabase(database: InstanceType<typeof DatabaseSync>): SqliteDatabase {
  return { close: () => database.close(), prepare: (sql) => statementFor(database, sql) };
}

/** A full disk makes SQLite roll back by itself; kysely's own rollback would then fail, and hide why. */
function statementFor(database: InstanceType<typeof DatabaseSync>, sql: string): SqliteStatement {
  const isOver = sql === "rollback" && !database.isTransaction;
  return asKyselyStatement(database.prepare(isOver ? "select 1 where false" : sql));
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
