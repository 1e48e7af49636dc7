import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import type { Keys } from "./keys.ts";

interface Parts {
  store: Store;
  keys: Keys;
  log: Log;
}

/**
 * Sees to it that `keyFile` holds a live key of a shared backend, so that the backend of this machine can join.
 * The file's key is kept while it is live, and where the store has never heard of it (an older copy was restored);
 * otherwise the backend named `name` gets a new one, and its former keys end.
 */
export async function ensureLocalBackend({ store, keys, log }: Parts, name: string, keyFile: string): Promise<void> {
  const held = await keyIn(keyFile);
  if (await isLiveAndShared(store, keys, held)) return chmod(keyFile, 0o600);
  const backend = (await store.backends.sharedByName(name)) ?? (await store.backends.add(name, null));
  await store.keys.removeAllOf(backend.id);
  if (await keys.adopt(backend.id, held)) return chmod(keyFile, 0o600);
  const { apiKey } = await keys.mint(backend.id);
  await writePrivately(keyFile, `${apiKey}\n`);
  log.info({ backendId: backend.id, backendName: name, file: keyFile }, "A key for this machine's backend was made.");
}

const keyIn = async (keyFile: string) => (await readFile(keyFile, "utf8").catch(() => "")).trim();

async function isLiveAndShared(store: Store, keys: Keys, apiKey: string): Promise<boolean> {
  const identity = await keys.authenticate(apiKey);
  return identity !== undefined && (await store.backends.get(identity.backendId))?.ownerId === null;
}

/** Whole or not at all, also across a crash. */
async function writePrivately(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}.tmp`;
  const file = await open(unfinished, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await syncDirectory(directory);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path);
  await directory.sync().finally(() => directory.close());
}
