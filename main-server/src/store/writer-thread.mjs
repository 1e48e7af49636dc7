// Plain JavaScript, as a thread is started by its file's name: the same in the source and in the build.
import { parentPort, workerData } from "node:worker_threads";
import { DatabaseSync } from "@photostructure/sqlite";

/**
 * @typedef {{ sql: string, parameters: readonly (string | number | null)[] }} Write
 * @typedef {{ changes: number } | { problem: { message: string, sqliteCode?: number, systemErrno?: number, code?: string } }} Outcome
 */

const { file, busyMs } = /** @type {{ file: string, busyMs: number }} */ (workerData);
const sqlite = new DatabaseSync(file, { timeout: busyMs });
sqlite.exec("pragma synchronous = full; pragma foreign_keys = on");
/** @type {Map<string, ReturnType<typeof sqlite.prepare>>} */
const prepared = new Map();
const MOST_PREPARED = 256;

parentPort?.on("message", (/** @type {Write[] | "close"} */ group) => {
  if (group !== "close") return parentPort?.postMessage(together(group) ?? group.map(alone));
  sqlite.close();
  parentPort?.close();
});

/**
 * One transaction, and so one sync of the disk. Undefined where anything of it failed: nothing of it is stored then.
 * @param {Write[]} group
 * @returns {Outcome[] | undefined}
 */
function together(group) {
  if (group.length === 1) return undefined;
  try {
    sqlite.exec("begin immediate");
    const outcomes = group.map((write) => ({ changes: run(write) }));
    sqlite.exec("commit");
    return outcomes;
  } catch {
    // A full disk makes SQLite roll back by itself.
    if (sqlite.isTransaction) sqlite.exec("rollback");
    return undefined;
  }
}

/**
 * So that each fails by its own fault alone.
 * @param {Write} write
 * @returns {Outcome}
 */
function alone(write) {
  try {
    return { changes: run(write) };
  } catch (error) {
    const { message, sqliteCode, systemErrno, code } = /** @type {Error & Record<string, never>} */ (error);
    return { problem: { message, sqliteCode, systemErrno, code } };
  }
}

/** @param {Write} write */
function run({ sql, parameters }) {
  const statement = prepared.get(sql) ?? sqlite.prepare(sql);
  if (prepared.size >= MOST_PREPARED) prepared.clear();
  prepared.set(sql, statement);
  return Number(statement.run(...parameters).changes);
}
