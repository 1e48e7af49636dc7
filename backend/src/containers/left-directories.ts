import { readdir, rmdir, stat, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../observe/log.ts";
import { processesOf } from "./container-processes.ts";
import { STARTS_WITHIN_MS } from "./lost-processes.ts";

interface LeftDirectoriesParts {
  /** Whether the Engine's files are this machine's. */
  engineIsLocal: boolean;
  log: Log;
}

/**
 * containerd keeps a directory of each container that runs. Where the process that it starts first is ended before it
 * has written there what it runs by, containerd cannot tidy that directory up, at no start of its own either, and
 * refuses to start the container for ever (seen with 1.6.20).
 */
export class LeftDirectories {
  readonly #parts: LeftDirectoriesParts;

  constructor(parts: LeftDirectoriesParts) {
    this.#parts = parts;
  }

  /**
   * Removes `directory`, for whose sake the Engine refused to start the container `containerId`, where for a while
   * nothing lives or changes in it. Answers whether another start is worth its while.
   */
  async remove(containerId: string, directory: string): Promise<boolean> {
    const { engineIsLocal, log } = this.#parts;
    if (!engineIsLocal || basename(directory) !== containerId) return false;
    const before = await lastChange(directory);
    await delay(STARTS_WITHIN_MS);
    if ((await processesOf(new Set([containerId]))).size > 0) return false;
    if (before === undefined || (await lastChange(directory)) !== before) return true;
    try {
      await removeShallow(directory);
    } catch (error) {
      log.warn({ container: containerId, directory, error }, "What containerd has left of a start cannot be removed");
      return false;
    }
    log.warn({ container: containerId, directory }, "Removed what containerd had left of a start that was cut off");
    return true;
  }
}

/** Refuses what has anything in a directory below, or mounted there: that would be somebody's files. */
async function removeShallow(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.filter((one) => one.isDirectory())) await rmdir(join(directory, entry.name));
  for (const entry of entries.filter((one) => !one.isDirectory())) await unlink(join(directory, entry.name));
  await rmdir(directory);
}

const lastChange = (directory: string): Promise<string | undefined> =>
  stat(directory).then(
    ({ ino, ctimeMs }) => `${ino} ${ctimeMs}`,
    () => undefined,
  );
