import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { addBackend, signedUp } from "../testing/browser.ts";
import { connectBackend, containerOf, failure, FakeBackend, sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

const Created = z.object({ id: z.string() });

async function scene() {
  const main = await startMainServer({}, { patience: { reconnectMs: 200 } });
  const ada = await signedUp(main.url, "ada");
  const { id: backendId, apiKey } = await addBackend(ada);
  const backend = await connectBackend(main.url, apiKey);
  const create = async () => Created.parse((await ada.post("/api/instances", { sshPublicKey: sshPublicKey() })).body);
  const { id } = await create();
  const instance = async () => (await ada.get(`/api/instances/${id}`)).body;
  const unknown = async () => (await ada.get(`/api/backends/${backendId}`)).body;
  return { main, ada, backendId, apiKey, backend, create, id, instance, unknown };
}

const inventory = (backend: FakeBackend) =>
  backend.report("inventory", { containers: [...backend.containers.values()] });

test("a container that is missing from the inventory makes its instance gone, which can then be deleted", async () => {
  const { ada, backend, id, instance, create } = await scene();
  backend.containers.clear();
  inventory(backend);
  await expect
    .poll(instance)
    .toMatchObject({ state: "gone", stateReason: expect.stringContaining("removed") as string });
  expect(await ada.post(`/api/instances/${id}/start`)).toMatchObject({ status: 409, code: "CONFLICT" });
  const next = await create();
  expect(next.id).not.toBe(id);
  expect((await ada.delete(`/api/instances/${id}`)).status).toBe(200);
  expect(backend.commands("delete-container")).toEqual([]);
  expect(await ada.get(`/api/instances/${next.id}`)).toMatchObject({ body: { state: "running" } });
});

test("what stopped or died is told with its reason", async () => {
  const { backend, instance } = await scene();
  const cases = [
    [{ state: "failed", exitCode: 137, oomKilled: true }, "out of memory, exit 137"],
    [{ state: "failed", exitCode: 1, oomKilled: false }, "exit 1"],
    [{ state: "stopped", exitCode: 0, oomKilled: false }, "stopped"],
    [{ state: "running", exitCode: undefined, oomKilled: undefined }, null],
  ] as const;
  for (const [changes, stateReason] of cases) {
    backend.put("ada", { ...backend.containers.get("ada"), ...changes });
    inventory(backend);
    await expect.poll(instance).toMatchObject({ state: changes.state, stateReason });
  }
});

test("what stopped without its owner's word says so, with when it was noticed", async () => {
  const { ada, backend, id, instance } = await scene();
  backend.put("ada", { ...backend.containers.get("ada"), state: "stopped" });
  inventory(backend);
  const year = new Date().getUTCFullYear();
  const byHand = `It should run, but was stopped on the backend's machine or ended in peace by itself at ${year}-`;
  await expect.poll(instance).toMatchObject({ why: expect.stringContaining(byHand) as string });
  await ada.post(`/api/instances/${id}/start`);
  expect(await instance()).toMatchObject({ why: null });
  await ada.post(`/api/instances/${id}/stop`);
  inventory(backend);
  expect(await instance()).toMatchObject({ why: expect.stringContaining("Its owner stopped it at") as string });
});

test("a stop that the backend refused is nobody's wish", async () => {
  const { ada, backend, id, instance } = await scene();
  backend.scripts.set("stop-container", () => failure("INTERNAL"));
  await ada.post(`/api/instances/${id}/stop`);
  await expect.poll(instance).toMatchObject({ state: "running", why: null });
  backend.put("ada", { ...backend.containers.get("ada"), state: "stopped" });
  inventory(backend);
  await expect.poll(instance).toMatchObject({ why: expect.stringContaining("It should run") as string });
});

test("a host key that a newer backend tells of a known container is taken", async () => {
  const { backend, instance } = await scene();
  const told = backend.containers.get("ada") ?? backend.put("ada");
  const { user = "", hostKeyFingerprint = "", hostKey = "" } = told.ssh ?? {};
  backend.put("ada", { ...told, ssh: { user, hostKeyFingerprint } });
  inventory(backend);
  await expect.poll(instance).toMatchObject({ ssh: { hostKeyFingerprint, knownHosts: null } });
  backend.put("ada", { ...told, ssh: { user, hostKeyFingerprint, hostKey } });
  inventory(backend);
  await expect.poll(instance).toMatchObject({ ssh: { knownHosts: `[127.0.0.1]:1024 ${hostKey}` } });
});

test("a change is known at once, without an inventory", async () => {
  const { backend, instance } = await scene();
  const container = backend.put("ada", { ...backend.containers.get("ada"), state: "failed" });
  const died = { kind: "died", exitCode: 137, oomKilled: true } as const;
  backend.report("container-changed", { container, cause: died });
  await expect.poll(instance).toMatchObject({ state: "failed", stateReason: "out of memory, exit 137" });
  const running = backend.put("ada", { ...container, state: "running" });
  backend.report("container-changed", { container: running, cause: { kind: "started" } });
  await expect.poll(instance).toMatchObject({ state: "running", stateReason: null });
  backend.report("container-changed", { container: running, cause: { kind: "removed-by-hand" } });
  await expect.poll(instance).toMatchObject({ state: "gone" });
});

test("a container that was moved keeps its instance: new ports, new id, and its former one's removal says nothing", async () => {
  const { backend, instance } = await scene();
  const former = backend.containers.get("ada") ?? backend.put("ada");
  const ports = { ssh: 1030, http: 1031, https: 1032 };
  const moved = backend.put("ada", { ...former, containerId: "f".repeat(64), ports });
  inventory(backend);
  await expect.poll(instance).toMatchObject({ containerId: moved.containerId, ports });
  backend.report("container-changed", { container: former, cause: { kind: "removed-by-hand" } });
  backend.report("container-changed", { container: moved, cause: { kind: "stopped-by-hand" } });
  inventory(backend);
  expect(await instance()).toMatchObject({ state: "running", containerId: moved.containerId });
});

test("containers on no record are counted and logged, and never deleted nor handed out", async () => {
  const { main, ada, backend, unknown } = await scene();
  const { containerId } = backend.put("stranger");
  backend.put("bob");
  inventory(backend);
  await expect.poll(unknown).toMatchObject({ unknownContainers: 2 });
  expect(main.log()).toContain("stranger");
  const bob = await signedUp(main.url, "bob");
  expect((await bob.get("/api/instances")).body).toMatchObject({ instances: [] });
  expect(JSON.stringify((await ada.get("/api/instances")).body)).not.toContain(containerId);
  backend.containers.delete("stranger");
  inventory(backend);
  await expect.poll(unknown).toMatchObject({ unknownContainers: 1 });
  expect(backend.commands("delete-container")).toEqual([]);
});

test("a backend that vanishes makes its instances unreachable, not gone, and its return brings them back", async () => {
  const { backend, instance } = await scene();
  backend.socket.close();
  await expect.poll(instance).toMatchObject({ state: "unreachable", ports: { ssh: 1024 } });
  await backend.connect();
  await expect.poll(instance).toMatchObject({ state: "running", stateReason: null });
});

test("a gone instance whose container is back is itself back", async () => {
  const { backend, instance } = await scene();
  const container = backend.containers.get("ada");
  backend.containers.clear();
  inventory(backend);
  await expect.poll(instance).toMatchObject({ state: "gone" });
  backend.put("ada", container);
  inventory(backend);
  await expect.poll(instance).toMatchObject({ state: "running" });
});

test("an inventory says nothing of an instance whose command is under way", async () => {
  const { ada, backend, id, instance } = await scene();
  const running = [...backend.containers.values()];
  backend.scripts.set("stop-container", (request) => {
    backend.report("inventory", { containers: [] });
    const reply = backend.obey("stop-container", request);
    backend.report("inventory", { containers: running });
    return reply;
  });
  expect(await ada.post(`/api/instances/${id}/stop`)).toMatchObject({ body: { state: "stopped" } });
  expect(await instance()).toMatchObject({ state: "stopped" });
});

test("a report that was told before a command's reply says nothing, however late it is taken in", async () => {
  const { ada, backend, id, instance, unknown } = await scene();
  const running = backend.put("ada", backend.containers.get("ada"));
  backend.scripts.set("stop-container", (request) => {
    for (let time = 0; time < 15; time += 1) backend.report("inventory", { containers: [running] });
    backend.report("container-changed", { container: running, cause: { kind: "started" } });
    backend.report("container-changed", { container: containerOf("stranger"), cause: { kind: "started" } });
    return backend.obey("stop-container", request);
  });
  expect(await ada.post(`/api/instances/${id}/stop`)).toMatchObject({ body: { state: "stopped" } });
  await expect.poll(unknown).toMatchObject({ unknownContainers: 1 });
  expect(await instance()).toMatchObject({ state: "stopped" });
});

test("one backend's reports touch no other backend's instances", async () => {
  const { main, ada, instance } = await scene();
  const rogue = await connectBackend(main.url, (await addBackend(ada, "rogue")).apiKey);
  rogue.report("inventory", { containers: [] });
  const container = rogue.put("ada", { state: "failed" });
  rogue.report("container-changed", { container, cause: { kind: "removed-by-hand" } });
  rogue.report("inventory", { containers: [container] });
  await expect.poll(() => main.log()).toContain("on no record");
  expect(await instance()).toMatchObject({
    state: "running",
    containerId: expect.not.stringMatching(container.containerId) as string,
  });
});

test("a restart of the main server loses no session, backend, key or instance", async () => {
  const { main, backend, ada, instance } = await scene();
  const before = await instance();
  await main.restart();
  await expect.poll(() => backend.socket.connected, { timeout: 5000 }).toBe(true);
  await expect.poll(instance).toEqual(before);
  expect((await ada.get("/api/auth/me")).status).toBe(200);
});

/** A user whose create was sent and never answered when the main server ended. */
async function cutOffCreate() {
  const before = await scene();
  const bob = await signedUp(before.main.url, "bob");
  const { apiKey } = await addBackend(bob, "bob's");
  const backend = await connectBackend(before.main.url, apiKey);
  backend.scripts.set("create-container", () => undefined);
  const answer = bob.post("/api/instances", { sshPublicKey: sshPublicKey() }).catch(() => undefined);
  await expect.poll(() => backend.commands("create-container").length).toBe(1);
  backend.socket.io.reconnection(false);
  await before.main.restart();
  await answer;
  backend.scripts.delete("create-container");
  const instances = async () =>
    z.object({ instances: z.array(z.unknown()) }).parse((await bob.get("/api/instances")).body).instances;
  expect(await instances()).toMatchObject([{ state: "creating", containerId: null, ssh: null }]);
  return { backend, instances, bob };
}

test("a create that a restart cut off is settled from the inventory where its container is there", async () => {
  const { backend, instances } = await cutOffCreate();
  const { containerId } = backend.put("bob");
  await backend.connect();
  await expect.poll(instances).toMatchObject([{ state: "running", containerId }]);
  expect(backend.commands("create-container")).toHaveLength(1);
});

test("a create that a restart cut off and that made nothing is sent again, as the same operation", async () => {
  const { backend, instances } = await cutOffCreate();
  await backend.connect();
  await expect.poll(instances).toMatchObject([{ state: "running" }]);
  const [first, second] = backend.commands("create-container");
  expect(second?.request).toEqual(first?.request);
});

test("a create that a restart cut off and that then fails leaves no record", async () => {
  const { backend, instances, bob } = await cutOffCreate();
  backend.put("bob", { createdAt: "2020-01-01T00:00:00.000Z" });
  await backend.connect();
  await expect.poll(instances).toEqual([]);
  expect((await bob.get("/health")).status).toBe(200);
});

test("a delete that went through unheard is completed by the inventory", async () => {
  const { ada, backend, id } = await scene();
  backend.scripts.set("delete-container", (request) => {
    backend.obey("delete-container", request);
    backend.socket.close();
    return undefined;
  });
  expect((await ada.delete(`/api/instances/${id}`)).status).toBe(503);
  await backend.connect();
  await expect.poll(async () => (await ada.get(`/api/instances/${id}`)).status).toBe(404);
});

test("an inventory that comes while a create is put on record leaves it alone: its user hears its own outcome", async () => {
  const { ada, backend, backendId, id } = await scene();
  await ada.delete(`/api/instances/${id}`);
  backend.scripts.set("create-container", () => failure("CAPACITY"));
  for (let round = 0; round < 8; round++) {
    const answer = ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
    await delay(round / 2);
    inventory(backend);
    expect(await answer).toMatchObject({ status: 503, code: "CAPACITY" });
  }
  expect(backend.commands("create-container")).toHaveLength(9);
});
