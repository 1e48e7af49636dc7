import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { databaseFile } from "./database.ts";
import { originOf } from "./origin-of-file.ts";
import { isFullDisk } from "./store-error.ts";

/** A backup or a restore cannot be made. `message` is one sentence that a person can act on. */
export class BackupError extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause });
    this.name = "BackupError";
  }
}

/** Sorts by time, and is a file name everywhere. */
export const timestamp = (): string => new Date().toISOString().replaceAll(/[-:]/g, "");

export interface Backup {
  file: string;
  bytes: number;
}

/**
 * Copies the store of `dataDir` as it is at one moment, whether or not a main server writes to it meanwhile. The copy is
 * there whole and on the disk, or not at all. `to` is a file that is not there yet, or a directory; without it the copy
 * goes to `backups/` beside the store. Throws BackupError.
 */
export function backUp(dataDir: string, to: string | undefined): Backup {
  const source = databaseFile(dataDir);
  if (!existsSync(source)) throw new BackupError(`There is no store in ${dataDir}: nothing to back up.`);
  const file = targetOf(dataDir, to);
  if (existsSync(file)) throw new BackupError(`${file} exists already; name another file.`);
  return writing(file, () => {
    if (to === undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    copyStore(source, file);
    return { file, bytes: statSync(file).size };
  });
}

function targetOf(dataDir: string, to: string | undefined): string {
  const name = `main-server-${timestamp()}.sqlite`;
  if (to === undefined) return join(dataDir, "backups", name);
  return statSync(to, { throwIfNoEntry: false })?.isDirectory() ? join(to, name) : resolve(to);
}

/** Beside, checked, synced, then renamed. */
export function copyStore(source: string, target: string): void {
  const unfinished = `${target}.${process.pid}.tmp`;
  closeSync(openSync(unfinished, "wx", 0o600));
  try {
    vacuumInto(source, unfinished);
    checkSound(unfinished, source);
    chmodSync(unfinished, 0o600);
    sync(unfinished);
    renameSync(unfinished, target);
    sync(dirname(target));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

const BUSY_MS = 10_000;

/** One read transaction, which in WAL mode keeps no writer waiting; the copy is compact and needs no -wal file. */
function vacuumInto(source: string, target: string): void {
  const sqlite = new DatabaseSync(source, { timeout: BUSY_MS });
  try {
    sqlite.prepare("vacuum into ?").run(target);
  } finally {
    sqlite.close();
  }
}

/** Throws BackupError unless `file` is a whole and undamaged store of a DockHost no newer than this one. */
export function checkSound(file: string, shown = file): void {
  const sqlite = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    const origin = originOf(sqlite);
    if (origin === "newer") throw new BackupError(`${shown} was written by a newer DockHost; update this one first.`);
    if (origin !== "ours") throw new BackupError(`${shown} is no backup of a DockHost main server.`);
    const [verdict] = sqlite.prepare("pragma integrity_check").all() as { integrity_check: string }[];
    const dangling = sqlite.prepare("pragma foreign_key_check").all();
    if (verdict?.integrity_check !== "ok" || dangling.length > 0) throw damaged(shown);
  } catch (error) {
    if (error instanceof BackupError || isFullDisk(error)) throw error;
    throw (error as { sqliteCode?: number }).sqliteCode === SQLITE_NOTADB
      ? new BackupError(`${shown} is no backup of a DockHost main server.`, error)
      : damaged(shown, error);
  } finally {
    sqlite.close();
  }
}

const SQLITE_NOTADB = 26;

const damaged = (file: string, cause?: unknown) =>
  new BackupError(`${file} is damaged: SQLite's integrity check fails.`, cause);

export function sync(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Runs what writes to `target`, and tells what goes wrong in one sentence. */
export function writing<Result>(target: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw explained(target, error);
  }
}

export function explained(target: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const { code, sqliteCode } = error as { code?: string; sqliteCode?: number };
  if (isFullDisk(error)) return new BackupError(`There is no room on the disk of ${target}; free some.`, error);
  if (sqliteCode === SQLITE_CORRUPT) return new BackupError("The store itself is damaged: restore a backup.", error);
  if (code === "ENOENT") return new BackupError(`${dirname(target)} is no directory; make it first.`, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new BackupError(`${target} cannot be written: ${reason}.`, error);
}

const SQLITE_CORRUPT = 11;
