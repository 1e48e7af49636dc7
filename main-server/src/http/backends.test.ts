import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { addBackend, Browser, signedUp } from "../testing/browser.ts";
import { connectBackend, FakeBackend, statusOf, sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

const CreatedKey = z.object({ key: z.object({ id: z.string(), prefix: z.string() }), apiKey: z.string() });
const KeyList = z.object({ keys: z.array(z.object({ id: z.string() })) });
const BackendList = z.object({
  backends: z.array(z.object({ id: z.string(), name: z.string(), shared: z.boolean() })),
});

const backendsOf = async (browser: Browser) => BackendList.parse((await browser.get("/api/backends")).body).backends;

test("a backend is online with what it reports while it is connected, and offline with what it last said after", async () => {
  const { url } = await startMainServer();
  const browser = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(browser);
  const view = async () => (await browser.get(`/api/backends/${id}`)).body;
  expect(await view()).toMatchObject({ status: "offline", version: null, capacity: null, lastSeenAt: null });
  const backend = await connectBackend(url, apiKey);
  const { capacity, usage, docker, addresses } = statusOf();
  const reported = { version: "3.0.0", capacity, usage, docker, addresses, draining: false };
  await expect.poll(view).toMatchObject({ status: "online", ...reported, unknownContainers: 0 });
  backend.socket.close();
  await expect.poll(view).toMatchObject({ status: "offline", ...reported, lastSeenAt: expect.any(String) as string });
});

test("a backend that is connected but has gone silent is offline", async () => {
  const { url } = await startMainServer({}, { silenceMs: 2_000 });
  const browser = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(browser);
  const backend = await connectBackend(url, apiKey);
  const view = async () => (await browser.get(`/api/backends/${id}`)).body;
  await expect.poll(view).toMatchObject({ status: "online" });
  await expect.poll(view).toMatchObject({ status: "offline" });
  backend.reportAll();
  await expect.poll(view).toMatchObject({ status: "online" });
});

test("a backend drains and serves again at its owner's word, and says so", async () => {
  const { url } = await startMainServer();
  const browser = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(browser);
  const path = `/api/backends/${id}/draining`;
  expect(await browser.put(path, { draining: true })).toMatchObject({ status: 503, code: "BACKEND_OFFLINE" });
  await connectBackend(url, apiKey);
  const view = async () => (await browser.get(`/api/backends/${id}`)).body;
  await expect.poll(view).toMatchObject({ status: "online" });
  expect(await browser.put(path, { draining: true })).toMatchObject({ status: 200, body: { draining: true } });
  await expect.poll(view).toMatchObject({ draining: true });
  const bob = await signedUp(url, "bob");
  expect(await bob.put(path, { draining: false })).toMatchObject({ status: 404, code: "NOT_FOUND" });
  expect(await browser.put(path, { draining: false })).toMatchObject({ status: 200, body: { draining: false } });
});

test("a backend that is not as wished says why, and whose it is to manage", async () => {
  const keyFile = join(temporaryDirectory(), "local-backend.key");
  const { url } = await startMainServer({ localBackendKeyFile: keyFile });
  const ada = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(ada);
  const view = async () => (await ada.get(`/api/backends/${id}`)).body;
  expect(await view()).toMatchObject({ mine: true, why: containing("never been connected") });
  const { capacity } = statusOf();
  const backend = await connectBackend(url, apiKey, { status: { capacity: { ...capacity, egressEnforced: true } } });
  await expect.poll(view).toMatchObject({ status: "online", why: null });
  backend.put("stranger");
  backend.reportAll();
  await expect.poll(view).toMatchObject({ why: containing("1 container on it is on no record") });
  backend.socket.close();
  await expect.poll(view).toMatchObject({ status: "offline", why: containing("It is not connected (last seen 2") });
  const bob = await signedUp(url, "bob");
  for (const [browser, mine] of [
    [ada, true],
    [bob, false],
  ] as const) {
    const { backends } = (await browser.get("/api/backends")).body as {
      backends: { shared: boolean; mine: boolean }[];
    };
    expect(backends.find((one) => one.shared)).toMatchObject({ mine });
  }
});

test("a backend's containers are told to who manages it alone, each with its cause", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(ada);
  const path = `/api/backends/${id}/containers`;
  expect(await ada.get(path)).toMatchObject({ status: 503, code: "BACKEND_OFFLINE" });
  const backend = await connectBackend(url, apiKey);
  const created = await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId: id });
  const { id: instance } = z.object({ id: z.string() }).parse(created.body);
  await ada.post(`/api/instances/${instance}/stop`);
  backend.put("stranger", { state: "failed", exitCode: 137, oomKilled: true });
  const { containerId, ports, image, createdAt } = backend.containers.get("ada") ?? {};
  const own = {
    containerId,
    username: "ada",
    state: "stopped",
    ports,
    image,
    createdAt,
    cause: "stopped by its owner",
  };
  const unknown = { username: "stranger", cause: "out of memory, exit 137; on no record of this main server" };
  const { status, body } = await ada.get(path);
  expect(status).toBe(200);
  expect(body).toMatchObject({ containers: [own, unknown] });
  expect((body as { containers: unknown[] }).containers[0]).toEqual(own);
  const bob = await signedUp(url, "bob");
  expect(await bob.get(path)).toMatchObject({ status: 404, code: "NOT_FOUND" });
});

test("one user's backend is to another as if it were not there", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { id } = await addBackend(ada);
  expect(await backendsOf(ada)).toMatchObject([{ id, shared: false }]);
  expect(await backendsOf(bob)).toEqual([]);
  for (const path of [`/api/backends/${id}`, `/api/backends/${id}/keys`]) {
    expect(await bob.get(path)).toMatchObject({ status: 404, code: "NOT_FOUND" });
  }
  expect((await bob.delete(`/api/backends/${id}`)).status).toBe(404);
  expect((await bob.post(`/api/backends/${id}/keys`)).status).toBe(404);
  const create = await bob.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId: id });
  expect(create).toMatchObject({ status: 404, code: "NOT_FOUND" });
});

test("a backend without instances can be deleted, and its agent is disconnected", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(ada);
  const backend = await connectBackend(url, apiKey);
  const created = await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId: id });
  expect(await ada.delete(`/api/backends/${id}`)).toMatchObject({ status: 409, code: "CONFLICT" });
  await ada.delete(`/api/instances/${z.object({ id: z.string() }).parse(created.body).id}`);
  backend.socket.io.reconnection(false);
  expect(await ada.delete(`/api/backends/${id}`)).toMatchObject({ status: 200, body: { id, deleted: true } });
  await expect.poll(() => backend.socket.connected).toBe(false);
  expect(await backendsOf(ada)).toEqual([]);
  await expect(new FakeBackend(url, apiKey).connect()).rejects.toThrow("Authentication failed");
});

test("while a key is rotated both keys serve; a third is refused until one is revoked", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { id, apiKey: first } = await addBackend(ada);
  const { apiKey: second } = CreatedKey.parse((await ada.post(`/api/backends/${id}/keys`)).body);
  await connectBackend(url, first);
  await connectBackend(url, second);
  expect(await ada.post(`/api/backends/${id}/keys`)).toMatchObject({ status: 409, code: "CONFLICT" });
  const { keys } = KeyList.parse((await ada.get(`/api/backends/${id}/keys`)).body);
  expect(keys).toHaveLength(2);
  expect((await ada.delete(`/api/backends/${id}/keys/${keys[0]?.id ?? ""}`)).status).toBe(200);
  expect((await ada.post(`/api/backends/${id}/keys`)).status).toBe(201);
});

test("ten rotations at once leave two keys alive", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { id } = await addBackend(ada);
  const answers = await Promise.all(Array.from({ length: 10 }, () => ada.post(`/api/backends/${id}/keys`)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(KeyList.parse((await ada.get(`/api/backends/${id}/keys`)).body).keys).toHaveLength(2);
});

test("the backend of a revoked key is disconnected within 5 s, and does not come back with it", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(ada);
  const backend = await connectBackend(url, apiKey);
  const disconnected = new Promise((resolve) => backend.socket.once("disconnect", resolve));
  const { keys } = KeyList.parse((await ada.get(`/api/backends/${id}/keys`)).body);
  const begin = performance.now();
  await ada.delete(`/api/backends/${id}/keys/${keys[0]?.id ?? ""}`);
  await disconnected;
  expect(performance.now() - begin).toBeLessThan(5000);
  await expect(backend.connect()).rejects.toThrow("Authentication failed");
  expect(await ada.delete(`/api/backends/${id}/keys/${keys[0]?.id ?? ""}`)).toMatchObject({ status: 404 });
});

test("a key is shown once: neither the store, nor the log, nor any later answer has it", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const { id, apiKey } = await addBackend(ada);
  await connectBackend(main.url, apiKey);
  const files = ["main-server.sqlite", "main-server.sqlite-wal"];
  const stored = files.map((file) => readFileSync(join(main.config.dataDir, file), "latin1")).join("");
  const paths = [`/api/backends/${id}`, "/api/backends", `/api/backends/${id}/keys`];
  const answers = JSON.stringify(await Promise.all(paths.map((path) => ada.get(path))));
  for (const text of [stored, main.log(), answers]) expect(text).not.toContain(apiKey.slice(10));
  expect(answers).not.toMatch(/[0-9a-f]{64}|hash/);
});

test("the database can be read by its owner alone", async () => {
  const { config } = await startMainServer({ dataDir: join(temporaryDirectory(), "made", "on", "the", "way") });
  expect(statSync(config.dataDir).mode & 0o777).toBe(0o700);
  for (const suffix of ["", "-wal", "-shm"]) {
    expect(statSync(join(config.dataDir, `main-server.sqlite${suffix}`)).mode & 0o777).toBe(0o600);
  }
});

test("this machine's backend is shared, joins with the key in the file, and keeps it across a restart", async () => {
  const keyFile = join(temporaryDirectory(), "keys", "local-backend.key");
  const main = await startMainServer({ localBackendKeyFile: keyFile });
  const apiKey = readFileSync(keyFile, "utf8").trim();
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  await signedUp(main.url, "ada");
  const bob = await signedUp(main.url, "bob");
  const [shared] = await backendsOf(bob);
  expect(shared).toMatchObject({ shared: true });
  expect(await bob.delete(`/api/backends/${shared?.id ?? ""}`)).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect(await bob.post(`/api/backends/${shared?.id ?? ""}/keys`)).toMatchObject({ status: 403, code: "FORBIDDEN" });
  const again = await main.restart();
  expect(readFileSync(keyFile, "utf8").trim()).toBe(apiKey);
  await connectBackend(again.url, apiKey);
});

test("where that file was lost or spoilt, the same shared backend gets a new key and the old one ends", async () => {
  const keyFile = join(temporaryDirectory(), "local-backend.key");
  let main = await startMainServer({ localBackendKeyFile: keyFile });
  const ada = await signedUp(main.url, "ada");
  const before = await backendsOf(ada);
  for (let round = 0; round < 3; round++) {
    const former = readFileSync(keyFile, "utf8").trim();
    writeFileSync(keyFile, "spoilt");
    main = await main.restart();
    expect(await backendsOf(ada)).toEqual(before);
    await expect(new FakeBackend(main.url, former).connect()).rejects.toThrow("Authentication failed");
    await connectBackend(main.url, readFileSync(keyFile, "utf8").trim());
  }
});

const containing = (words: string): unknown => expect.stringContaining(words);
