import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { API_KEY } from "./support/main-server-double.ts";
import { PythonMainServer } from "./support/python-main-server.ts";
import { rounds } from "./support/rounds.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

const USERS = rounds(6, 24);

let person: SshUser;
let key: KeyPair;
let otherKey: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  [key, otherKey] = await Promise.all([person.newKey("ada"), person.newKey("ada-new")]);
});
afterAll(() => person[Symbol.asyncDispose]());

/** Every row of the contract for one user, each operation sent twice. */
async function live(server: PythonMainServer, username: string): Promise<Container> {
  const creation = { username, sshPublicKey: key.publicKey, operationId: randomUUID() };
  const created = await server.succeed("create-container", creation);
  expect(await server.succeed("create-container", creation)).toEqual(created);
  expect(await server.succeed("list-containers", { username })).toEqual({ containers: [created] });
  expect(await person.login(created, key)).toMatchObject({ code: 0, stdout: "root\n" });

  const stop = { username, operationId: randomUUID() };
  const stopped = await server.succeed("stop-container", stop);
  expect(stopped).toMatchObject({ state: "stopped", ports: created.ports });
  expect(await server.succeed("stop-container", stop)).toEqual(stopped);

  const start = { username, operationId: randomUUID() };
  expect(await server.succeed("start-container", start)).toEqual(created);
  expect(await server.succeed("start-container", start)).toEqual(created);

  const change = { username, sshPublicKeys: [otherKey.publicKey], operationId: randomUUID() };
  expect(await server.succeed("set-ssh-keys", change)).toEqual(created);
  expect(await server.succeed("set-ssh-keys", change)).toEqual(created);
  expect(await person.login(created, otherKey)).toMatchObject({ code: 0, stdout: "root\n" });

  const removal = { username, operationId: randomUUID() };
  const deleted = await server.succeed("delete-container", removal);
  expect(deleted).toEqual({ existed: true, containerId: created.containerId, ports: created.ports });
  expect(await server.succeed("delete-container", removal)).toEqual(deleted);
  return created;
}

test(`a main server on another Socket.IO implementation drives ${USERS} users at once through every row of the contract`, async () => {
  await using server = new PythonMainServer(API_KEY);
  await using site = await Site.prepare();
  const backend = site.start({ MAIN_SERVER_BACKEND_URL: await server.url(), LOG_LEVEL: "debug" });
  onTestFailed(() => console.error(backend.output));
  const { payload } = await server.said.first("connected");
  expect(payload).toMatchObject({ role: "backend", auth: { DOCKHOST_API_KEY: API_KEY } });
  expect(await server.said.report("inventory")).toEqual({ containers: [] });
  await server.said.report("backend-status");

  const users = Array.from({ length: USERS }, (_, index) => newUser(`user${index}`));
  const lived = await Promise.all(users.map((username) => live(server, username)));

  expect(new Set(lived.map(({ ssh }) => ssh?.hostKeyFingerprint)).size).toBe(USERS);
  expect(await server.succeed("list-containers", {})).toEqual({ containers: [] });
  expect(await server.succeed("set-draining", { draining: true })).toEqual({ draining: true });
  expect(await server.succeed("set-draining", { draining: false })).toEqual({ draining: false });
  expect(await site.containerNames()).toEqual([]);
  expect(server.said.reports("operation-progress").length).toBeGreaterThanOrEqual(4 * USERS);
  expect(server.said.named("container-changed")).toEqual([]);
  expect((await backend.end()).code).toBe(0);
});
