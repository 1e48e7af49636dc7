import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { isHalfWritten, writeDurably } from "./durable-file.ts";

/** No agent can work in this data directory now; the message says why and what to do, in one sentence. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
}

/**
 * The one place where a backend keeps what Docker cannot: held by one agent at a time, and the home of the id by which
 * a backend knows its containers.
 */
export class DataDirectory implements AsyncDisposable {
  readonly path: string;
  readonly backendId: string;
  readonly #lock: Server | undefined;

  private constructor(path: string, backendId: string, lock: Server | undefined) {
    this.path = path;
    this.backendId = backendId;
    this.#lock = lock;
  }

  /** Makes it where it is missing. Throws DataDirectoryError. */
  static async open(path: string): Promise<DataDirectory> {
    const real = await usable(path, async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      return realpath(path);
    });
    const lock = await lockDirectory(real);
    const backendId = await usable(real, async () => {
      await removeHalfWritten(real);
      return readOrMakeId(real);
    });
    return new DataDirectory(real, backendId, lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lock = this.#lock;
    if (lock) await new Promise((resolve) => lock.close(resolve));
  }
}

async function usable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    const remedy = "give DOCKHOST_DATA_DIR a directory that this user may write to";
    throw new DataDirectoryError(`The data directory ${path} cannot be used (${code}); ${remedy}.`, { cause });
  }
}

/**
 * An abstract unix socket: the kernel frees it with its process, however that ends, so no stale lock is left. Only Linux
 * has them; elsewhere (a developer's machine) nothing is locked.
 */
async function lockDirectory(path: string): Promise<Server | undefined> {
  if (process.platform !== "linux") return undefined;
  const name = createHash("sha256").update(path).digest("hex");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", () =>
      reject(
        new DataDirectoryError(
          `Another backend works in ${path}; stop it, or give this one its own DOCKHOST_DATA_DIR.`,
        ),
      ),
    );
    server.listen(`\0dockhost-backend-${name}`, resolve);
  });
  server.unref();
  return server;
}

/** What an agent was about to put in place when it was killed. */
async function removeHalfWritten(directory: string): Promise<void> {
  const files = await readdir(directory, { recursive: true });
  await Promise.all(files.filter(isHalfWritten).map((file) => rm(join(directory, file), { force: true })));
}

async function readOrMakeId(directory: string): Promise<string> {
  const path = join(directory, "backend.id");
  const found = (await readFile(path, "utf8").catch(() => "")).trim();
  if (found !== "") return found;
  const made = randomUUID();
  await writeDurably(path, `${made}\n`, 0o600);
  return made;
}
