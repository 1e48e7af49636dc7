import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { backup, DatabaseSync } from "@photostructure/sqlite";
import { BackupError, checkSound, copyStore, explained, sync, timestamp, writing } from "./backup.ts";
import { DataDirectory } from "./data-directory.ts";
import { databaseFile, openDatabase, openFile, type Database } from "./database.ts";

/** A checked copy of a backup in the data directory; gone when it is left. */
export class StagedBackup implements Disposable {
  readonly file: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, "staged.sqlite");
  }

  /** `backupFile` is only read. Throws BackupError where it is damaged, foreign, newer than this DockHost, or the store itself. */
  static make(dataDir: string, backupFile: string): StagedBackup {
    if (!statSync(backupFile, { throwIfNoEntry: false })?.isFile())
      throw new BackupError(`There is no file ${backupFile}.`);
    const store = databaseFile(dataDir);
    if (existsSync(store) && realpathSync(store) === realpathSync(backupFile))
      throw new BackupError(`${backupFile} is the store itself; name a backup of it.`);
    const staged = new StagedBackup(writing(dataDir, () => mkdtempSync(join(dataDir, "restore-"))));
    try {
      writing(dataDir, () => staged.#copy(backupFile, dataDir));
      checkSound(staged.file, backupFile);
      return staged;
    } catch (error) {
      staged[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A store that was moved aside after a crash has a -wal file, without which it is not whole. */
  #copy(from: string, dataDir: string): void {
    const copies = [[from, this.file], ...(existsSync(`${from}-wal`) ? [[`${from}-wal`, `${this.file}-wal`]] : [])];
    for (const [source = "", target = ""] of copies) {
      copyFileSync(source, target);
      chmodSync(target, 0o600);
      giveTo(dataDir, target);
    }
    giveTo(dataDir, this.#folder);
  }
}

/** A restore run by root for a main server that runs as somebody else. */
function giveTo(dataDir: string, path: string): void {
  const { uid, gid } = statSync(dataDir);
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

/**
 * Puts a staged backup in the place of what is in an open database. It is one transaction: no file is exchanged beneath
 * anyone who has it open, and a crash leaves either the one or the other. Everyone else's queries wait meanwhile.
 * Answers the file in which the former contents are kept. Throws BackupError, with nothing changed.
 */
export async function replaceContents(database: Database, dataDir: string, staged: string): Promise<string> {
  const kept = keptFile(dataDir);
  const live = databaseFile(dataDir);
  try {
    await bringUpToDate(staged);
    await database.connection().execute(async () => {
      copyStore(live, kept);
      keepEndedWhatEnded(staged, kept);
      await copyInto(staged, live);
    });
    return kept;
  } catch (error) {
    throw explained(dataDir, error);
  }
}

/** The same where no main server runs, and even where the store is missing or damaged: then it is moved aside as it is. Undefined where there was none. */
export async function replaceStore(directory: DataDirectory, staged: string): Promise<string | undefined> {
  const { path } = directory;
  try {
    const isThere = existsSync(databaseFile(path));
    const database = isThere ? await openSound(path) : undefined;
    if (database) return await replaceContents(database, path, staged).finally(async () => database.destroy());
    await complete(staged);
    const kept = isThere ? moveAside(path) : undefined;
    renameSync(staged, databaseFile(path));
    sync(path);
    return kept;
  } catch (error) {
    throw explained(path, error);
  }
}

const keptFile = (dataDir: string) => join(dataDir, `main-server.before-restore-${timestamp()}.sqlite`);

async function openSound(dataDir: string): Promise<Database | undefined> {
  const database = await openDatabase(dataDir).catch(() => undefined);
  try {
    if (database) checkSound(databaseFile(dataDir));
    return database;
  } catch {
    await database?.destroy();
    return undefined;
  }
}

/** A -wal file that stayed behind would be read into the new store; the store itself stays until it is replaced. */
function moveAside(dataDir: string): string {
  const store = databaseFile(dataDir);
  const kept = keptFile(dataDir);
  linkSync(store, kept);
  if (existsSync(`${store}-wal`)) renameSync(`${store}-wal`, `${kept}-wal`);
  rmSync(`${store}-shm`, { force: true });
  return kept;
}

/** With nothing left in a -wal file; and as nobody knows who has signed out or used an invitation since the backup, all have. */
async function complete(staged: string): Promise<void> {
  await bringUpToDate(staged);
  withDatabase(staged, (sqlite) =>
    sqlite.exec("delete from sessions; delete from invitations; pragma wal_checkpoint(truncate)"),
  );
  sync(staged);
}

async function bringUpToDate(staged: string): Promise<void> {
  await (await openFile(staged)).destroy();
}

/** Who has signed out since the backup stays signed out, and no invitation that was used or revoked serves again. */
function keepEndedWhatEnded(staged: string, present: string): void {
  withDatabase(staged, (sqlite) => {
    sqlite.prepare("attach ? as present").run(present);
    sqlite.exec("delete from sessions where token_hash not in (select token_hash from present.sessions)");
    sqlite.exec("delete from invitations where id not in (select id from present.invitations)");
  });
}

const BUSY_MS = 5_000;
const ALL_PAGES = 0x7fff_ffff;

async function copyInto(staged: string, live: string): Promise<void> {
  const sqlite = new DatabaseSync(staged);
  try {
    await backup(sqlite, live, { rate: ALL_PAGES });
  } finally {
    sqlite.close();
  }
  // Into the file itself, and synced.
  withDatabase(live, (opened) => opened.exec("pragma synchronous = full; pragma wal_checkpoint(truncate)"));
}

function withDatabase(file: string, work: (sqlite: InstanceType<typeof DatabaseSync>) => void): void {
  const sqlite = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    work(sqlite);
  } finally {
    sqlite.close();
  }
}
