import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { Kysely, type Compilable, type CompiledQuery } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { containerOf, statusOf } from "../testing/fake-backend.ts";
import { temporaryDirectory } from "../testing/main-server.ts";
import { AccountsStore } from "./accounts-store.ts";
import { AuditStore, type AuditFilter, type AuditRecord } from "./audit-store.ts";
import { BackendsStore } from "./backends-store.ts";
import { openFile } from "./database.ts";
import { InstancesStore } from "./instances-store.ts";
import { InvitationsStore, type NewInvitation } from "./invitations-store.ts";
import { KeysStore } from "./keys-store.ts";
import type { Schema } from "./schema.ts";
import { SavedKeysStore } from "./saved-keys-store.ts";
import { SessionsStore } from "./sessions-store.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { Writes } from "./writes.ts";

/** Every store, the queries that it makes, and how SQLite means to answer them. */
async function scene() {
  const file = join(temporaryDirectory(), "store.sqlite");
  await (await openFile(file)).destroy();
  const sqlite = new DatabaseSync(file);
  const made: CompiledQuery[] = [];
  const db = new Kysely<Schema>({ dialect: sqliteDialect(sqlite), log: ({ query }) => void made.push(query) });
  onTestFinished(() => db.destroy());
  const run = async (query: Compilable) => Number((await db.executeQuery(query.compile())).numAffectedRows ?? 0);
  const writes = { run } as unknown as Writes;
  const stores = {
    accounts: new AccountsStore(db, writes),
    sessions: new SessionsStore(db, writes),
    backends: new BackendsStore(db, writes),
    keys: new KeysStore(db, writes),
    instances: new InstancesStore(db, writes),
    savedKeys: new SavedKeysStore(db, writes),
    invitations: new InvitationsStore(db, writes),
    audit: new AuditStore(db, writes),
  };
  const plan = ({ sql, parameters }: CompiledQuery) => {
    const steps = sqlite.prepare(`explain query plan ${sql}`).all(...(parameters as string[])) as { detail: string }[];
    return steps.map(({ detail }) => detail);
  };
  return { stores, made, plan };
}

type Stores = Awaited<ReturnType<typeof scene>>["stores"];

const after = { createdAt: "2026-01-01T00:00:00.000Z", id: "id" };
const whose = { id: "id", userId: "user" };
const key = { hash: "hash", prefix: "dkh_" };
const request = { username: "ada", operationId: crypto.randomUUID(), sshPublicKey: "key" };
const entry: AuditRecord = {
  id: "id",
  createdAt: after.createdAt,
  userId: null,
  username: null,
  action: "shell.opened",
  subject: null,
  subjectName: null,
  outcome: "done",
  detail: null,
  address: null,
};
const invitation: NewInvitation = {
  tokenHash: "token",
  role: "user",
  note: null,
  userId: "user",
  createdBy: "ada",
  expiresAt: new Date(),
};
const sighting = { remoteAddress: "192.0.2.1", status: statusOf() };

/** Every query of every store; `null` where it is made at a start alone, or by hand. */
const QUERIES: { [Name in keyof Stores]: Record<string, ((store: Stores[Name]) => Promise<unknown>) | null> } = {
  accounts: {
    add: (store) => store.add("Ada", "hash"),
    withPasswordHash: (store) => store.withPasswordHash("ada"),
    addInvited: (store) => store.addInvited("Bob", "hash", "token"),
    get: (store) => store.get("id"),
    page: (store) => store.page(50, undefined).then(() => store.page(50, after)),
    setPasswordHash: (store) => store.setPasswordHash("id", "hash"),
    setRole: (store) => store.setRole("id", "admin").then(() => store.setRole("id", "user")),
    any: (store) => store.any(),
  },
  sessions: {
    add: (store) => store.add("token", "user", new Date(), { address: "192.0.2.1", userAgent: null }),
    ofUser: (store) => store.ofUser("user", 50, undefined).then(() => store.ofUser("user", 50, after)),
    end: (store) => store.end("user", "id"),
    endOthers: (store) => store.endOthers("user", "token"),
    userOf: (store) => store.userOf("token"),
    remove: (store) => store.remove("token"),
    removeExpired: (store) => store.removeExpired(),
  },
  backends: {
    add: null,
    addWithKey: (store) => store.addWithKey("name", "user", key),
    get: (store) => store.get("id"),
    sharedByName: null,
    usableBy: (store) => store.usableBy("user"),
    pageUsableBy: (store) =>
      store.pageUsableBy("user", 50, undefined).then(() => store.pageUsableBy("user", 50, after)),
    whereabouts: (store) => store.whereabouts(["one", "other"]),
    remove: (store) => store.remove("id"),
    saw: (store) => store.saw("id", sighting),
  },
  keys: {
    add: (store) => store.add("backend", { ...key, hash: "other" }, 2),
    withHash: (store) => store.withHash("hash"),
    ofBackend: (store) => store.ofBackend("id", 50, undefined).then(() => store.ofBackend("id", 50, after)),
    remove: (store) => store.remove("backend", "id"),
    removeAllOf: null,
  },
  savedKeys: {
    add: (store) => store.add("user", { name: "laptop", line: "line", fingerprint: "SHA256:x" }),
    ofUser: (store) => store.ofUser("user", 50, undefined).then(() => store.ofUser("user", 50, after)),
    remove: (store) => store.remove("user", "id"),
  },
  invitations: {
    add: (store) => store.add(invitation),
    isLive: (store) => store.isLive("token"),
    page: (store) => store.page(50, undefined).then(() => store.page(50, after)),
    remove: (store) => store.remove("id"),
    removeExpired: (store) => store.removeExpired(),
  },
  audit: {
    add: (store) => store.add(entry),
    page: async (store) => {
      for (const userId of [undefined, "user"]) {
        for (const action of [undefined, "instance.started" as const]) {
          await store.page({ userId, action }, 50);
          await store.page({ userId, action }, 50, after);
        }
      }
    },
    prune: (store) => store.prune(new Date(), 100_000),
  },
  instances: {
    addCreating: (store) => store.addCreating({ id: "id", userId: "user", backendId: "backend" }, request),
    get: (store) => store.get("id"),
    ofUser: (store) => store.ofUser("user", 50, undefined).then(() => store.ofUser("user", 50, after)),
    ofBackend: (store) => store.ofBackend("id"),
    ofUserOnBackend: (store) => store.ofUserOnBackend("ada", "id"),
    backendsOf: (store) => store.backendsOf("user"),
    creatingByBackend: (store) => store.creatingByBackend(),
    begin: (store) => store.begin(whose, "operation", "start-container"),
    endPending: (store) => store.endPending(whose),
    settle: (store) => store.settle(whose, containerOf("ada"), null),
    markGone: (store) => store.markGone(whose, "It is gone."),
    remove: (store) => store.remove(whose),
    onChange: null,
  },
};

/** What is read whole is no more than what is asked for: the few creates under way. */
const MAY_BE_READ_WHOLE = "SCAN instances USING COVERING INDEX instances_creating";

const cases = (Object.keys(QUERIES) as (keyof Stores)[]).flatMap((store) =>
  Object.entries(QUERIES[store]).flatMap(([query, make]) => (make ? [{ store, query, make: make as Make }] : [])),
);
type Make = (store: unknown) => Promise<unknown>;

test.each(cases)("$query of $store reads no table whole, and sorts nothing", async ({ store, make }) => {
  const { stores, made, plan } = await scene();
  // Whose rows are not there may be refused by a foreign key; what counts is how it would have been done.
  await make(stores[store]).catch(() => undefined);
  const queries = made.filter(({ sql }) => /^(?:select|insert|update|delete)/.test(sql));
  expect(queries).not.toEqual([]);
  for (const query of queries) {
    const steps = plan(query).filter((step) => step !== MAY_BE_READ_WHOLE);
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  }
});

test("what one user did, or what is one action, is read by an index of its own", async () => {
  const { stores, made, plan } = await scene();
  const indexOf = async (filter: AuditFilter) => {
    await stores.audit.page(filter, 50, after);
    const query = made.at(-1);
    return query && plan(query).join();
  };
  expect(await indexOf({ userId: "user" })).toContain("audit_entries_by_user (user_id=?");
  expect(await indexOf({ action: "shell.opened" })).toContain("audit_entries_by_action (action=?");
});

test("no query of the stores is left out here", async () => {
  const { stores } = await scene();
  for (const name of Object.keys(stores) as (keyof Stores)[]) {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(stores[name])).filter(
      (one) => one !== "constructor",
    );
    expect(Object.keys(QUERIES[name]).sort()).toEqual(methods.sort());
  }
});
