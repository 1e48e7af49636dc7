import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { io } from "socket.io-client";
import { expect, onTestFinished, test } from "vitest";
import { addBackend, signedUp } from "../testing/browser.ts";
import { connectBackend, FakeBackend, statusOf } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

async function scene() {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const { id, apiKey } = await addBackend(ada);
  const status = async () => ((await ada.get(`/api/backends/${id}`)).body as { status: string }).status;
  return { main, ada, id, apiKey, status };
}

test("a key that is missing, malformed or too long is refused with the documented words", async () => {
  const { main, apiKey } = await scene();
  for (const bad of ["", "dkh_", apiKey.slice(0, -1), `${apiKey}x`, "x".repeat(600)]) {
    await expect(new FakeBackend(main.url, bad).connect()).rejects.toThrow("Authentication failed");
  }
  for (const auth of [{}, { DOCKHOST_API_KEY: 7 }, { DOCKHOST_API_KEY: { $ne: null } }, undefined]) {
    const socket = io(main.url, { ...(auth && { auth }), query: { role: "backend" }, forceNew: true });
    onTestFinished(() => void socket.close());
    const refusal = await new Promise<Error>((resolve) => socket.once("connect_error", resolve));
    expect(refusal.message).toBe("Authentication failed");
  }
});

test("a connection without the role of a backend, or from a foreign page, is refused", async () => {
  const { main, apiKey } = await scene();
  const auth = { DOCKHOST_API_KEY: apiKey };
  const page = { extraHeaders: { origin: "https://evil.example" }, query: { role: "backend" } };
  for (const options of [{ query: { role: "user" } }, {}, page]) {
    const socket = io(main.url, { auth, forceNew: true, ...options });
    onTestFinished(() => void socket.close());
    expect(await new Promise<Error>((resolve) => socket.once("connect_error", resolve))).toBeInstanceOf(Error);
    expect(socket.connected).toBe(false);
  }
});

test("of two agents with one key the newer acts; the older is told, and ended", async () => {
  const { main, apiKey, status } = await scene();
  const older = await connectBackend(main.url, apiKey, { agentId: "older" });
  let told = false;
  older.socket.on("superseded", () => (told = true));
  older.socket.io.reconnection(false);
  const newer = await connectBackend(main.url, apiKey, { agentId: "newer" });
  await expect.poll(() => older.socket.connected).toBe(false);
  expect(told).toBe(true);
  expect(newer.socket.connected).toBe(true);
  expect(await status()).toBe("online");
});

test("an agent that connects again is not told that it was superseded", async () => {
  const { main, apiKey, status } = await scene();
  const before = await connectBackend(main.url, apiKey, { agentId: "same" });
  let told = false;
  before.socket.on("superseded", () => (told = true));
  before.socket.io.reconnection(false);
  await connectBackend(main.url, apiKey, { agentId: "same" });
  await expect.poll(() => before.socket.connected).toBe(false);
  expect(told).toBe(false);
  expect(await status()).toBe("online");
});

test("the late end of an old connection never unlists the new one", async () => {
  const { main, apiKey, status } = await scene();
  const old = await connectBackend(main.url, apiKey, { agentId: "same" });
  // Its far end dies without a word: nothing more is read or written, so its end is noticed only later.
  const transport = old.socket.io.engine.transport as unknown as { ws: { _socket: { pause: () => void } } };
  transport.ws._socket.pause();
  await connectBackend(main.url, apiKey, { agentId: "same" });
  await expect.poll(() => /"current":false/.exec(main.log())).not.toBeNull();
  expect(await status()).toBe("online");
});

test("no report, however malformed, ends anything but the use of that report", async () => {
  const { main, apiKey, status, ada, id } = await scene();
  const backend = await connectBackend(main.url, apiKey);
  await expect.poll(status).toBe("online");
  const absurd = [null, undefined, 7, "x", [], {}, { containers: 7 }, { containers: [null] }, Buffer.from("x"), true];
  for (const event of [
    "backend-status",
    "inventory",
    "container-changed",
    "operation-progress",
    "error",
    "unheard-of",
  ]) {
    backend.socket.emit(event);
    for (const payload of absurd) backend.socket.emit(event, payload);
    backend.socket.emit(event, ...absurd, () => undefined);
  }
  const changed = { ...statusOf(), version: "3.0.1" };
  backend.report("backend-status", changed);
  await expect.poll(async () => (await ada.get(`/api/backends/${id}`)).body).toMatchObject({ version: "3.0.1" });
  expect(backend.socket.connected).toBe(true);
  const complaints = main.log().match(/A backend's report breaks the contract/g) ?? [];
  expect(complaints).toHaveLength(4);
});

test("a frame beyond 2 MiB ends its connection and nothing else", async () => {
  const { main, apiKey, ada } = await scene();
  const backend = await connectBackend(main.url, apiKey);
  backend.socket.io.reconnection(false);
  backend.socket.emit("inventory", { containers: ["x".repeat(2_200_000)] });
  await expect.poll(() => backend.socket.connected).toBe(false);
  expect((await ada.get("/health")).status).toBe(200);
});

test("who waits at the door and breaks off, at once or in silence, ends nothing", async () => {
  const { main, apiKey, status } = await scene();
  const { hostname, port } = new URL(main.url);
  const upgrade =
    "GET /socket.io/?EIO=4&transport=websocket&role=backend HTTP/1.1\r\nHost: dockhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  const callers = Array.from({ length: 50 }, () => connectTcp(Number(port), hostname));
  await Promise.all(callers.map((socket) => once(socket, "connect")));
  for (const socket of callers) socket.write(upgrade);
  for (const [index, socket] of callers.entries()) {
    if (index % 3 === 0) socket.resetAndDestroy();
    else if (index % 3 === 1) socket.destroy();
  }
  await connectBackend(main.url, apiKey);
  await expect.poll(status).toBe("online");
  for (const socket of callers) socket.destroy();
});

test("of many backends that come at once each is let in and heard", async () => {
  const { main, ada } = await scene();
  const keys: string[] = [];
  for (let number = 0; number < 30; number++) keys.push((await addBackend(ada, `backend ${number}`)).apiKey);
  const backends = keys.map((apiKey) => new FakeBackend(main.url, apiKey));
  const arrived: number[] = [];
  await Promise.all(backends.map((backend, number) => backend.connect().then(() => arrived.push(number))));
  expect(arrived).toHaveLength(backends.length);
  const versions = async () =>
    ((await ada.get("/api/backends")).body as { backends: { version: string | null }[] }).backends.map(
      (one) => one.version,
    );
  await expect.poll(async () => (await versions()).filter((version) => version !== null)).toHaveLength(30);
});

test("a server that closes lets those at the door go at once", async () => {
  const { main, apiKey } = await scene();
  const waiting = Array.from({ length: 40 }, () => new FakeBackend(main.url, apiKey));
  for (const { socket } of waiting) socket.io.reconnection(false);
  for (const { socket } of waiting) socket.connect();
  await expect.poll(() => waiting.filter(({ socket }) => socket.connected).length).toBeGreaterThan(0);
  await main.close();
  await expect.poll(() => waiting.filter(({ socket }) => socket.io.engine.readyState === "open")).toEqual([]);
  expect(main.log()).toContain("The main server has closed.");
});
