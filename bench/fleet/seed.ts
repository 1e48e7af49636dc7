import { chmod } from "node:fs/promises";
import { databaseFile, openFile, type Database } from "../../main-server/src/store/database.ts";
import type { Schema } from "../../main-server/src/store/schema.ts";
import {
  apiKeyOf,
  backendIdOf,
  containerOf,
  CONTAINERS_EACH,
  hashOf,
  idOf,
  instanceIdOf,
  INSTANCES_OF_A_USER,
  momentOf,
  tokenOf,
  usernameOf,
} from "./population.ts";

const ROWS_AT_ONCE = 500;
const NEVER = "2099-01-01T00:00:00.000Z";

/** Fills a new store with shared backends, their users, and an instance for each of their containers. */
export async function seed(dataDir: string, backends: number): Promise<void> {
  const database = await openFile(databaseFile(dataDir));
  try {
    await database.transaction().execute(async (db) => {
      for (let group = 0; group * INSTANCES_OF_A_USER < backends; group++) await addUsers(db, group);
      for (let backend = 0; backend < backends; backend++) await addBackend(db, backend);
    });
  } finally {
    await database.destroy();
  }
  await chmod(dataDir, 0o700);
}

async function addUsers(db: Database, group: number): Promise<void> {
  const names = slots((slot) => usernameOf(group * INSTANCES_OF_A_USER, slot));
  await insert(db, "users", names.map(userRow));
  const sessions = names.map((name) => ({ token_hash: hashOf(tokenOf(name)), user_id: idOf("user", name) }));
  await insert(
    db,
    "sessions",
    sessions.map((session) => ({ ...session, created_at: momentOf(0), expires_at: NEVER })),
  );
}

const userRow = (username: string) => ({
  id: idOf("user", username),
  username,
  username_key: username,
  password_hash: "none",
  created_at: momentOf(0),
});

async function addBackend(db: Database, backend: number): Promise<void> {
  const id = backendIdOf(backend);
  const apiKey = apiKeyOf(backend);
  const created_at = momentOf(backend);
  await insert(db, "backends", [{ id, name: `backend ${backend}`, owner_id: null, created_at }]);
  const key = { id: idOf("backend", `key ${backend}`), hash: hashOf(apiKey), prefix: apiKey.slice(0, 10) };
  await insert(db, "backend_keys", [{ ...key, backend_id: id, created_at }]);
  await insert(
    db,
    "instances",
    slots((slot) => instanceRow(backend, slot)),
  );
}

function instanceRow(backend: number, slot: number) {
  const { username, createdAt, containerId, state, ports, image, ssh } = containerOf(backend, slot, "running");
  return {
    id: instanceIdOf(backend, slot),
    user_id: idOf("user", username),
    backend_id: backendIdOf(backend),
    state,
    container_id: containerId,
    ports: JSON.stringify(ports),
    image,
    ssh_user: ssh?.user ?? null,
    host_key_fingerprint: ssh?.hostKeyFingerprint ?? null,
    created_at: createdAt,
  };
}

const slots = <Row>(make: (slot: number) => Row): Row[] =>
  Array.from({ length: CONTAINERS_EACH }, (_, slot) => make(slot));

async function insert(db: Database, table: keyof Schema, rows: readonly object[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await db
      .insertInto(table)
      .values(rows.slice(from, from + ROWS_AT_ONCE) as never)
      .execute();
  }
}
