import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { StoreError, StoreHeldError } from "./store-error.ts";

/** A data directory that this process alone works in, until it lets go of it or ends. */
export class DataDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #lock: Server | undefined;

  private constructor(path: string, lock: Server | undefined) {
    this.path = path;
    this.#lock = lock;
  }

  /** Made where it is missing. Throws StoreError, also where another main server works in it. */
  static async take(path: string): Promise<DataDirectory> {
    const real = await makeUsable(path);
    return new DataDirectory(real, await lock(real));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = this.#lock;
    if (held) await new Promise((resolve) => held.close(resolve));
  }
}

async function makeUsable(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (error) {
    throw new StoreError(path, error);
  }
}

/**
 * An abstract unix socket: the kernel frees it with its process, however that ends, so no stale lock is left. Only Linux
 * has them; elsewhere (a developer's machine) nothing is locked.
 */
async function lock(path: string): Promise<Server | undefined> {
  if (process.platform !== "linux") return undefined;
  const name = createHash("sha256").update(path).digest("hex");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    const remedy = "stop that one, or give this one its own DOCKHOST_DATA_DIR";
    server.once("error", () => reject(new StoreHeldError(path, `another main server works in it; ${remedy}`)));
    server.listen(`\0dockhost-main-server-${name}`, resolve);
  });
  return server.unref();
}
