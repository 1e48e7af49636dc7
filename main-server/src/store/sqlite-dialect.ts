import { DatabaseSync } from "@photostructure/sqlite";
import { SqliteDialect, type SqliteDatabase, type SqliteStatement } from "kysely";

type Parameters = readonly unknown[];

/** Gives node:sqlite's API the face of better-sqlite3, which is the one that kysely knows. */
export function sqliteDialect(database: InstanceType<typeof DatabaseSync>): SqliteDialect {
  return new SqliteDialect({ database: asKyselyDatabase(database) });
}

function asKyselyDatabase(database: InstanceType<typeof DatabaseSync>): SqliteDatabase {
  return { close: () => database.close(), prepare: (sql) => asKyselyStatement(database.prepare(sql)) };
}

type Statement = ReturnType<InstanceType<typeof DatabaseSync>["prepare"]>;

function asKyselyStatement(statement: Statement): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters: Parameters) => statement.all(...parameters) as unknown[],
    run: (parameters: Parameters) => statement.run(...parameters),
    iterate: (parameters: Parameters) => statement.iterate(...parameters) as IterableIterator<unknown>,
  };
}
