import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { failpoint } from "../observe/failpoints.ts";

const SUFFIX = ".tmp";

/**
 * Puts `content` at `path` so that whoever looks, also after a power cut, finds either the old content or the new:
 * written beside it, synced, renamed over it, directory synced.
 */
export async function writeDurably(path: string, content: string | Buffer, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}${SUFFIX}`;
  try {
    await writeSynced(temporary, content, mode);
    failpoint("claim:written-beside");
    await rename(temporary, path);
    failpoint("claim:renamed");
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Whether a file stands beside its place still. Where nobody writes any more it never gets there. */
export const isHalfWritten = (path: string): boolean => path.endsWith(SUFFIX);

async function writeSynced(path: string, content: string | Buffer, mode: number): Promise<void> {
  await using file = await open(path, "wx", mode);
  // The mode given to open is cut by the umask.
  await file.chmod(mode);
  await file.writeFile(content);
  await file.sync();
}

export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
