/** The store cannot be opened. `message` is one sentence for whoever starts the server. */
export class StoreError extends Error {
  constructor(dataDir: string, cause: unknown) {
    super(`The data directory ${dataDir} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
    });
    this.name = "StoreError";
  }
}

/** Another process works in the data directory. */
export class StoreHeldError extends StoreError {}

/** A write found no room on the disk; nothing of it is stored. Reads go on, and so do writes once there is room. */
export class StoreFullError extends Error {
  constructor(cause: unknown) {
    super("The main server's disk is full", { cause });
    this.name = "StoreFullError";
  }
}

const SQLITE_FULL = 13;
const ENOSPC = 28;
const EDQUOT = 122;

/** What SQLite says of a full disk depends on which of its files had no room. */
export function isFullDisk(error: unknown): boolean {
  const { sqliteCode, systemErrno, code } = error as { sqliteCode?: number; systemErrno?: number; code?: string };
  return sqliteCode === SQLITE_FULL || systemErrno === ENOSPC || systemErrno === EDQUOT || code === "ENOSPC";
}
