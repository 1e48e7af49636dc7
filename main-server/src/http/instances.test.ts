import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { addBackend, signedUp } from "../testing/browser.ts";
import { connectBackend, containerOf, failure, sshPublicKey, statusOf, success } from "../testing/fake-backend.ts";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

const Instance = z.object({ id: z.string(), state: z.string(), backendId: z.string() });
const Page = z.object({ instances: z.array(Instance), nextCursor: z.string().nullable() });

async function scene(patience = {}) {
  const main = await startMainServer({}, { patience });
  const ada = await signedUp(main.url, "ada");
  const { id: backendId, apiKey } = await addBackend(ada);
  const backend = await connectBackend(main.url, apiKey);
  const create = (more: object = {}) => ada.post("/api/instances", { sshPublicKey: sshPublicKey(), ...more });
  const created = async () => Instance.parse((await create()).body);
  const list = async () => Page.parse((await ada.get("/api/instances")).body).instances;
  return { main, ada, backendId, apiKey, backend, create, created, list };
}

test("an instance is created, read, stopped, started and deleted", async () => {
  const { ada, backend, backendId, create } = await scene();
  const key = sshPublicKey();
  const answer = await create({ sshPublicKey: `${key}\n` });
  const container = backend.containers.get("ada");
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    id: expect.any(String) as string,
    backendId,
    containerId: container?.containerId,
    state: "running",
    stateReason: null,
    ports: { ssh: 1024, http: 1025, https: 1026 },
    image: "dockhost/instance",
    why: null,
    ssh: {
      command: "ssh -p 1024 root@127.0.0.1",
      host: "127.0.0.1",
      port: 1024,
      user: "root",
      hostKeyFingerprint: container?.ssh?.hostKeyFingerprint,
      knownHosts: `[127.0.0.1]:1024 ${container?.ssh?.hostKey ?? ""}`,
    },
    createdAt: expect.any(String) as string,
  });
  expect(backend.received[0]?.request).toEqual({
    username: "ada",
    sshPublicKey: key,
    operationId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
  const { id } = Instance.parse(answer.body);
  expect(await ada.get(`/api/instances/${id}`)).toMatchObject({ status: 200, body: answer.body });
  const stopped = await ada.post(`/api/instances/${id}/stop`);
  expect(stopped).toMatchObject({ status: 200, body: { state: "stopped", stateReason: "stopped" } });
  expect(stopped.body).toMatchObject({ why: expect.stringContaining("Its owner stopped it") as string });
  const started = await ada.post(`/api/instances/${id}/start`);
  expect(started).toMatchObject({ status: 200, body: { state: "running", stateReason: null, why: null } });
  expect(await ada.delete(`/api/instances/${id}`)).toMatchObject({ status: 200, body: { id, deleted: true } });
  expect(backend.containers.size).toBe(0);
  expect((await ada.get(`/api/instances/${id}`)).status).toBe(404);
  const operations = backend.received.map(({ request }) => request.operationId);
  expect(new Set(operations).size).toBe(4);
});

test("an instance's keys are replaced by others, all of which are looked at first", async () => {
  const { ada, backend, created } = await scene();
  const { id } = await created();
  const keys = [sshPublicKey(), sshPublicKey()];
  const replaced = await ada.put(`/api/instances/${id}/keys`, { sshPublicKeys: keys.map((key) => `${key}\n`) });
  expect(replaced).toMatchObject({ status: 200, body: { id, state: "running" } });
  expect(backend.commands("set-ssh-keys").map(({ request }) => request.sshPublicKeys)).toEqual([keys]);
  const bad = await ada.put(`/api/instances/${id}/keys`, { sshPublicKeys: [sshPublicKey(), "no key"] });
  expect(bad).toMatchObject({ status: 400, code: "INVALID_KEY" });
  expect((await ada.put(`/api/instances/${id}/keys`, { sshPublicKeys: [] })).status).toBe(400);
  expect(backend.commands("set-ssh-keys")).toHaveLength(1);
  backend.scripts.set("set-ssh-keys", () => failure("CONFLICT"));
  expect(await ada.put(`/api/instances/${id}/keys`, { sshPublicKeys: keys })).toMatchObject({
    status: 409,
    code: "CONFLICT",
  });
});

test("another user's instance is to everyone else as if it were not there", async () => {
  const { main, created, backend } = await scene();
  const bob = await signedUp(main.url, "bob");
  const { id } = await created();
  const before = backend.received.length;
  const tries = [
    bob.get(`/api/instances/${id}`),
    bob.post(`/api/instances/${id}/stop`),
    bob.post(`/api/instances/${id}/start`),
    bob.put(`/api/instances/${id}/keys`, { sshPublicKeys: [sshPublicKey()] }),
    bob.delete(`/api/instances/${id}`),
    bob.get("/api/instances/no-such-id"),
  ];
  for (const answer of await Promise.all(tries)) expect(answer).toMatchObject({ status: 404, code: "NOT_FOUND" });
  expect(Page.parse((await bob.get("/api/instances")).body).instances).toEqual([]);
  expect(backend.received).toHaveLength(before);
});

test("a user has one instance on each backend, however many are asked for at once", async () => {
  const { create, backendId, backend, list } = await scene();
  const answers = await Promise.all(Array.from({ length: 5 }, () => create({ backendId })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  expect(answers.find(({ status }) => status === 409)).toMatchObject({ code: "ALREADY_EXISTS" });
  expect(backend.commands("create-container")).toHaveLength(1);
  expect(await list()).toHaveLength(1);
});

test("without a backend named, the one with most free capacity serves, then the next, then none is left", async () => {
  const { main, ada, backendId, create } = await scene();
  const roomy = await addBackend(ada, "roomy");
  const status = statusOf();
  await connectBackend(main.url, roomy.apiKey, {
    status: { capacity: { ...status.capacity, comfortableContainers: 20 } },
  });
  await expect.poll(async () => (await ada.get(`/api/backends/${roomy.id}`)).body).toMatchObject({ version: "3.0.0" });
  expect((await create()).body).toMatchObject({ backendId: roomy.id });
  expect((await create()).body).toMatchObject({ backendId });
  expect(await create()).toMatchObject({ status: 409, code: "ALREADY_EXISTS" });
});

test("24 users at once each get an instance of the shared backend", async () => {
  const keyFile = `${temporaryDirectory()}/key`;
  const main = await startMainServer({ localBackendKeyFile: keyFile });
  const shared = await connectBackend(main.url, readFileSync(keyFile, "utf8").trim());
  const users = await Promise.all(Array.from({ length: 24 }, (_, nth) => signedUp(main.url, `user-${nth}`)));
  const answers = await Promise.all(users.map((user) => user.post("/api/instances", { sshPublicKey: sshPublicKey() })));
  expect(answers.every(({ status }) => status === 201)).toBe(true);
  expect(shared.containers.size).toBe(24);
});

test("with nobody connected the answer says so, and nothing is on record", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const sshKey = { sshPublicKey: sshPublicKey() };
  expect(await ada.post("/api/instances", sshKey)).toMatchObject({ status: 503, code: "NO_BACKEND" });
  const { id: backendId } = await addBackend(ada);
  expect(await ada.post("/api/instances", { ...sshKey, backendId })).toMatchObject({
    status: 503,
    code: "BACKEND_OFFLINE",
  });
  expect(Page.parse((await ada.get("/api/instances")).body).instances).toEqual([]);
});

test("a full, draining or Docker-less backend is not placed on", async () => {
  const { ada, backend, backendId, create } = await scene();
  const whole = statusOf();
  const cases = [
    [{ ...whole, draining: true }, "CAPACITY"],
    [{ ...whole, docker: { reachable: false, version: null } }, "ENGINE_UNAVAILABLE"],
    [{ ...whole, usage: { ...whole.usage, containers: 50 } }, "CAPACITY"],
  ] as const;
  for (const [status, code] of cases) {
    backend.report("backend-status", status);
    const { draining, docker, usage } = status;
    await expect
      .poll(async () => (await ada.get(`/api/backends/${backendId}`)).body)
      .toMatchObject({ draining, docker, usage });
    expect(await create()).toMatchObject({ status: 503, code });
  }
});

test("what cannot be right is refused before any backend hears of it", async () => {
  const { ada, backend, create } = await scene();
  for (const key of ["", "x", "ssh-ed25519 AAAA", `${sshPublicKey()}\n${sshPublicKey()}`]) {
    expect(await create({ sshPublicKey: key })).toMatchObject({ status: 400, code: "INVALID_KEY" });
  }
  for (const body of [undefined, {}, { sshPublicKey: 7 }, { sshPublicKey: sshPublicKey(), limits: { cpus: -1 } }]) {
    expect(await ada.post("/api/instances", body)).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  }
  for (const query of ["limit=0", "limit=101", "limit=x", "cursor=zzz"]) {
    expect(await ada.get(`/api/instances?${query}`)).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  }
  expect(backend.received).toEqual([]);
});

test("a create that the backend refuses tells why, and leaves no record", async () => {
  const { backend, create, list } = await scene();
  const statuses = { CAPACITY: 503, IMAGE_UNAVAILABLE: 502, SSH_NOT_READY: 502, PORT_CONFLICT: 409, INTERNAL: 500 };
  for (const [code, status] of Object.entries(statuses)) {
    backend.scripts.set("create-container", () => failure(code as keyof typeof statuses));
    const answer = await create();
    expect(answer).toMatchObject({ status, code, body: { error: { message: `It failed with ${code}.` } } });
    expect(await list()).toEqual([]);
  }
  backend.scripts.delete("create-container");
  expect((await create()).status).toBe(201);
});

test("a container that is on no record is never handed to an account", async () => {
  const { backend, create, list } = await scene();
  const { containerId } = backend.put("ada");
  const answer = await create();
  expect(answer).toMatchObject({ status: 409, code: "CONFLICT" });
  expect(JSON.stringify(answer.body)).not.toContain(containerId);
  expect(await list()).toEqual([]);
  expect(backend.containers.has("ada")).toBe(true);
});

const ABSURD: unknown[] = [
  null,
  "yes",
  {},
  [],
  { success: true, message: "", data: null },
  { success: true, message: "", data: { ...containerOf("ada"), ports: { ssh: "22; rm -rf /", http: 1, https: 2 } } },
  { success: false, message: "", data: null, error: { code: "TEAPOT", retryable: false } },
  success(containerOf("somebody-else")),
  Buffer.from("x"),
];

test.each(ABSURD)("a reply of %j is that backend's failure: 502, and the server goes on", async (reply) => {
  const { main, ada, backend, backendId, create, list } = await scene();
  backend.scripts.set("create-container", () => reply);
  expect(await create()).toMatchObject({ status: 502, code: "BACKEND_FAULT" });
  expect(main.log()).toContain(backendId);
  expect(await list()).toEqual([]);
  backend.scripts.delete("create-container");
  const { id } = Instance.parse((await create()).body);
  for (const command of ["start-container", "stop-container"] as const) backend.scripts.set(command, () => reply);
  expect((await ada.post(`/api/instances/${id}/stop`)).status).toBe(502);
  expect((await ada.post(`/api/instances/${id}/start`)).status).toBe(502);
  expect((await ada.get("/health")).status).toBe(200);
});

test("a create whose reply made no sense is kept where its container is there after all", async () => {
  const { backend, create, list } = await scene();
  backend.scripts.set("create-container", (request) => (backend.obey("create-container", request), null));
  expect((await create()).status).toBe(502);
  expect(await list()).toMatchObject([{ state: "running" }]);
});

test("a connection lost in the middle of a create is waited for, and the same operation sent again", async () => {
  const { backend, create } = await scene();
  backend.scripts.set("create-container", (request) => {
    backend.scripts.delete("create-container");
    backend.obey("create-container", request);
    setTimeout(() => backend.socket.io.engine.close(), 0);
    return undefined;
  });
  expect(await create()).toMatchObject({ status: 201, body: { state: "running" } });
  const [first, second] = backend.commands("create-container");
  expect(second?.request).toEqual(first?.request);
});

test("a command whose backend stays away fails as BACKEND_OFFLINE, and the record stays", async () => {
  const { ada, backend, created, list } = await scene({ reconnectMs: 100 });
  const { id } = await created();
  backend.scripts.set("delete-container", () => void backend.socket.close());
  expect(await ada.delete(`/api/instances/${id}`)).toMatchObject({ status: 503, code: "BACKEND_OFFLINE" });
  expect(await list()).toMatchObject([{ id, state: "unreachable" }]);
  for (const verb of ["start", "stop"]) {
    const answer = await ada.post(`/api/instances/${id}/${verb}`);
    expect(answer).toMatchObject({ status: 503, code: "BACKEND_OFFLINE" });
  }
  expect(await ada.delete(`/api/instances/${id}`)).toMatchObject({ status: 503 });
});

test("a backend that does not answer in time is told as DEADLINE_EXCEEDED", async () => {
  const { ada, backend, created } = await scene({ commandMs: 50 });
  const { id } = await created();
  backend.scripts.set("stop-container", () => undefined);
  expect(await ada.post(`/api/instances/${id}/stop`)).toMatchObject({ status: 504, code: "DEADLINE_EXCEEDED" });
});

test("the list comes in pages, newest first, each instance once", async () => {
  const { main, ada, created } = await scene();
  const first = await created();
  const ids = [first.id];
  for (let nth = 0; nth < 4; nth++) {
    const { id: backendId, apiKey } = await addBackend(ada, `more-${nth}`);
    await connectBackend(main.url, apiKey);
    const { body } = await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
    ids.unshift(Instance.parse(body).id);
  }
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = Page.parse((await ada.get(`/api/instances?limit=2${query}`)).body);
    expect(page.instances.length).toBeLessThanOrEqual(2);
    seen.push(...page.instances.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(ids);
});
