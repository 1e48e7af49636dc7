import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addBackend, signedUp, type Browser } from "../testing/browser.ts";
import {
  connectBackend,
  containerOf,
  failure,
  FakeBackend,
  sshPublicKey,
  statusOf,
  success,
} from "../testing/fake-backend.ts";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

/** A rogue backend with one instance on it, and an honest one beside it with its own user. */
async function scene() {
  const main = await startMainServer({}, { patience: { reconnectMs: 300, commandMs: 2_000 } });
  const eve = await signedUp(main.url, "eve");
  const ada = await signedUp(main.url, "ada");
  const { id: backendId, apiKey } = await addBackend(eve, "rogue");
  const rogue = await connectBackend(main.url, apiKey);
  const honest = await addBackend(ada, "honest");
  const neighbour = await connectBackend(main.url, honest.apiKey);
  const create = () => eve.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
  const list = async () => (await eve.get("/api/instances")).body as { instances: Record<string, unknown>[] };
  /** The neighbour is heard, and REST is served. */
  const goesOn = async () => {
    const version = `3.1.${Math.floor(Math.random() * 1e6)}`;
    neighbour.report("backend-status", { ...statusOf(), version });
    await expect
      .poll(async () => (await ada.get(`/api/backends/${honest.id}`)).body, { timeout: 10_000 })
      .toMatchObject({ status: "online", version });
  };
  return { main, eve, ada, rogue, backendId, apiKey, neighbour, create, list, goesOn };
}

/** A rogue backend that serves two users. */
async function sharedScene() {
  const keyFile = join(temporaryDirectory(), "key");
  const main = await startMainServer({ localBackendKeyFile: keyFile });
  const rogue = await connectBackend(main.url, readFileSync(keyFile, "utf8").trim());
  const users = [await signedUp(main.url, "eve"), await signedUp(main.url, "mallory")] as const;
  return { main, rogue, users };
}

test("ports that are no triple are that backend's failure", async () => {
  const { rogue, create, list } = await scene();
  const triples = [
    { ssh: 1024, http: 1026, https: 1025 },
    { ssh: 1024, http: 1024, https: 1024 },
    { ssh: 40_000, http: 22, https: 443 },
    { ssh: 65_535, http: 65_536, https: 65_537 },
    { ssh: 0, http: 1, https: 2 },
  ];
  for (const ports of triples) {
    rogue.scripts.set("create-container", () => success({ ...containerOf("eve"), ports }));
    expect(await create()).toMatchObject({ status: 502, code: "BACKEND_FAULT" });
    expect(await list()).toMatchObject({ instances: [] });
  }
});

test("ports outside the range that it told are that backend's failure", async () => {
  const { rogue, backendId, eve, create, list } = await scene();
  const { capacity, ...status } = statusOf();
  rogue.report("backend-status", { ...status, capacity: { ...capacity, portRange: { first: 1024, last: 1029 } } });
  const told = async () => (await eve.get(`/api/backends/${backendId}`)).body;
  await expect.poll(told).toMatchObject({ capacity: { portRange: { last: 1029 } } });
  for (const ssh of [1021, 1028]) {
    const ports = { ssh, http: ssh + 1, https: ssh + 2 };
    rogue.scripts.set("create-container", () => success({ ...containerOf("eve"), ports }));
    expect(await create()).toMatchObject({ status: 502, code: "BACKEND_FAULT" });
    expect(await list()).toMatchObject({ instances: [] });
  }
  rogue.scripts.set("create-container", () => success(containerOf("eve")));
  expect((await create()).status).toBe(201);
});

test("ports that another of its instances has are that backend's failure, and the other keeps them", async () => {
  const { main, rogue, users } = await sharedScene();
  const [eve, mallory] = users;
  const create = (user: Browser) => user.post("/api/instances", { sshPublicKey: sshPublicKey() });
  expect((await create(eve)).status).toBe(201);
  rogue.scripts.set("create-container", ({ username }) =>
    success(rogue.put(username, { ports: { ssh: 1026, http: 1027, https: 1028 } })),
  );
  expect(await create(mallory)).toMatchObject({ status: 502, code: "BACKEND_FAULT" });
  expect((await mallory.get("/api/instances")).body).toMatchObject({ instances: [] });
  expect((await eve.get("/api/instances")).body).toMatchObject({ instances: [{ ports: { ssh: 1024 } }] });
  expect(main.log()).toContain("gave the same ports to two instances");
});

test("ports of an instance whose container has meanwhile gone serve the next one", async () => {
  const { rogue, users } = await sharedScene();
  const [eve, mallory] = users;
  await eve.post("/api/instances", { sshPublicKey: sshPublicKey() });
  rogue.containers.clear();
  expect(await mallory.post("/api/instances", { sshPublicKey: sshPublicKey() })).toMatchObject({
    status: 201,
    body: { ports: { ssh: 1024 } },
  });
  await expect
    .poll(async () => (await eve.get("/api/instances")).body)
    .toMatchObject({ instances: [{ state: "gone" }] });
});

test("a report for another backend's instance, even with its very container id, changes nothing", async () => {
  const { main, ada, eve, backendId, rogue, neighbour } = await scene();
  await ada.post("/api/instances", { sshPublicKey: sshPublicKey() });
  const before = (await ada.get("/api/instances")).body;
  const stolen = neighbour.containers.get("ada") ?? containerOf("ada");
  rogue.report("container-changed", { container: stolen, cause: { kind: "removed-by-hand" } });
  rogue.report("container-changed", { container: { ...stolen, state: "failed" }, cause: { kind: "stopped-by-hand" } });
  rogue.report("inventory", { containers: [{ ...stolen, state: "stopped" }] });
  rogue.report("inventory", { containers: [] });
  rogue.report("operation-progress", { operationId: crypto.randomUUID(), username: "ada", phase: "starting" });
  rogue.report("backend-status", { ...statusOf(), version: "9.9.9" });
  await expect.poll(async () => (await eve.get(`/api/backends/${backendId}`)).body).toMatchObject({ version: "9.9.9" });
  await expect.poll(() => main.log()).toContain("on no record");
  expect((await ada.get("/api/instances")).body).toEqual(before);
});

test("an inventory with duplicates is worked off once for each user, and one of thousands ends nothing", async () => {
  const { rogue, create, list, goesOn, eve, backendId } = await scene();
  await create();
  const own = rogue.containers.get("eve") ?? containerOf("eve");
  const many = Array.from({ length: 2_500 }, (_, nth) => containerOf(`made-up-${nth}`, nth));
  rogue.report("inventory", { containers: [own, own, ...many, own] });
  await expect
    .poll(async () => (await eve.get(`/api/backends/${backendId}`)).body, { timeout: 10_000 })
    .toMatchObject({ unknownContainers: 2_500 });
  expect(await list()).toMatchObject({ instances: [{ containerId: own.containerId, state: "running" }] });
  await goesOn();
});

test("100,000 containers in one inventory end that connection and nothing else", async () => {
  const { rogue, list, create, goesOn } = await scene();
  await create();
  rogue.socket.io.reconnection(false);
  const one = containerOf("x");
  rogue.report("inventory", { containers: Array.from({ length: 100_000 }, () => one) });
  await expect.poll(() => rogue.socket.connected, { timeout: 90_000 }).toBe(false);
  expect(await list()).toMatchObject({ instances: [{ state: "unreachable" }] });
  await goesOn();
}, 120_000);

test.each(["inventory", "container-changed", "backend-status", "operation-progress", "no-event-of-ours"])(
  "a flood of %s ends the flood's connection, while other backends and REST go on",
  async (event) => {
    const { main, rogue, goesOn } = await scene();
    rogue.socket.io.reconnection(false);
    const container = containerOf("eve");
    const payloads: Record<string, () => unknown> = {
      inventory: () => ({ containers: [container] }),
      "container-changed": () => ({ container: containerOf("unknown"), cause: { kind: "started" } }),
      "backend-status": statusOf,
    };
    for (let nth = 0; nth < 5_000; nth++) rogue.socket.emit(event, payloads[event]?.() ?? {});
    await goesOn();
    await expect.poll(() => rogue.socket.connected, { timeout: 10_000 }).toBe(false);
    expect(main.log().match(/reports too much at once/g)).toHaveLength(1);
    expect(main.log().match(/on no record/g)?.length ?? 0).toBeLessThanOrEqual(2_500);
  },
  30_000,
);

test("who floods does not get more by connecting anew", async () => {
  const { main, rogue, apiKey } = await scene();
  rogue.socket.io.reconnection(false);
  for (let nth = 0; nth < 100; nth++) rogue.report("inventory", { containers: [] });
  await expect.poll(() => rogue.socket.connected).toBe(false);
  const again = await connectBackend(main.url, apiKey, { agentId: rogue.agentId });
  again.socket.io.reconnection(false);
  for (let nth = 0; nth < 9; nth++) again.report("inventory", { containers: [] });
  await expect.poll(() => again.socket.connected).toBe(false);
});

test("binary attachments are nobody's report, and many of them end the connection", async () => {
  const { rogue, goesOn } = await scene();
  rogue.socket.io.reconnection(false);
  const bytes = Buffer.alloc(1_000);
  rogue.socket.emit("backend-status", { ...statusOf(), version: bytes });
  rogue.socket.emit("inventory", bytes, bytes, bytes);
  await goesOn();
  rogue.socket.emit("inventory", { containers: Array.from({ length: 50 }, () => bytes) });
  await expect.poll(() => rogue.socket.connected).toBe(false);
  await goesOn();
});

test("another host key for the same container is not believed by mere report, and is logged", async () => {
  const { main, rogue, create, list } = await scene();
  await create();
  const own = rogue.containers.get("eve") ?? containerOf("eve");
  const told = own.ssh?.hostKeyFingerprint;
  const other = { ...own, ssh: { user: "root", hostKeyFingerprint: `SHA256:${"A".repeat(43)}` } };
  rogue.report("inventory", { containers: [other] });
  rogue.report("container-changed", { container: { ...other, state: "stopped" }, cause: { kind: "stopped-by-hand" } });
  await expect.poll(list).toMatchObject({ instances: [{ state: "stopped", ssh: { hostKeyFingerprint: told } }] });
  expect(main.log()).toContain("another host key for the same container");
});

test("prototype keys in a report or a reply reach no prototype and no answer", async () => {
  const { rogue, eve, backendId, create, list } = await scene();
  const poison = (text: object) =>
    JSON.parse(
      JSON.stringify(text).replace(/^\{/, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'),
    ) as object;
  rogue.socket.emit("backend-status", poison({ ...statusOf(), version: "6.6.6" }));
  rogue.socket.emit("inventory", poison({ containers: [] }));
  rogue.scripts.set("create-container", () => poison(success(poison(rogue.put("eve")))));
  expect((await create()).status).toBe(201);
  await expect.poll(async () => (await eve.get(`/api/backends/${backendId}`)).body).toMatchObject({ version: "6.6.6" });
  expect(JSON.stringify([await list(), (await eve.get("/api/backends")).body])).not.toContain("polluted");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("what a backend writes is told bounded and as JSON, however long or wild", async () => {
  const { rogue, eve, backendId, create, goesOn } = await scene();
  const wild = "<script>alert(1)</script>\u001b[2J\u0000\r\nSet-Cookie: a=b";
  rogue.scripts.set("create-container", () => ({ ...failure("CAPACITY"), message: wild }));
  const answer = await create();
  expect(answer).toMatchObject({ status: 503, code: "CAPACITY" });
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(answer.headers.get("set-cookie")).toBeNull();
  const long = "x".repeat(900_000);
  for (const reply of [{ ...failure("CAPACITY"), message: long }, success({ ...containerOf("eve"), image: long })]) {
    rogue.scripts.set("create-container", () => reply);
    const { status, body } = await create();
    expect(status).toBe(502);
    expect(JSON.stringify(body).length).toBeLessThan(1_000);
  }
  const before = (await eve.get(`/api/backends/${backendId}`)).body;
  for (const changes of [
    { version: long },
    { hostname: long },
    { addresses: [long] },
    { addresses: Array(65).fill("a") },
  ])
    rogue.socket.emit("backend-status", { ...statusOf(), draining: true, ...changes });
  await goesOn();
  expect((await eve.get(`/api/backends/${backendId}`)).body).toEqual({
    ...(before as object),
    lastSeenAt: expect.any(String) as string,
  });
});

test("a report before the key was checked, or after it was refused, is read by nobody", async () => {
  const { main, eve, rogue, backendId, goesOn } = await scene();
  rogue.socket.close();
  const status = async () => (await eve.get(`/api/backends/${backendId}`)).body;
  await expect.poll(status).toMatchObject({ status: "offline" });
  const stranger = new FakeBackend(main.url, "dkh_no-key-of-anyone");
  stranger.socket.io.reconnection(false);
  const event = `2${JSON.stringify(["backend-status", { ...statusOf(), version: "6.6.6" }])}`;
  stranger.socket.io.on("open", () => void stranger.socket.io.engine.write(event));
  const ended = new Promise((resolve) => stranger.socket.io.once("close", resolve));
  stranger.socket.connect();
  await ended;
  await goesOn();
  expect(await status()).toMatchObject({ status: "offline", version: "3.0.0" });
});
