import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import WebSocket from "ws";
import { expect, test } from "vitest";
import { addBackend, Browser, PASSWORD, signedIn, signedUp } from "../testing/browser.ts";
import { connectBackend, failure, sshPublicKey } from "../testing/fake-backend.ts";
import { openStreams } from "../testing/far-streams.ts";
import { startMainServer } from "../testing/main-server.ts";

/** What is answered to an upgrade to whatever stands in `target`. */
async function upgrade(url: string, target: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [`GET ${target} HTTP/1.1`, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"];
  socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==\r\n\r\n`);
  return (await text(socket)).split("\r\n", 1)[0] ?? "";
}

/** How the stream at `path` ends. */
async function endOf(browser: Browser, path: string): Promise<{ code: number; reason: string }> {
  const socket = viewerOf(browser, path);
  return new Promise((resolve, reject) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.once("error", reject);
  });
}

function viewerOf(browser: Browser, path: string): WebSocket {
  const headers = { cookie: browser.headers.cookie ?? "" };
  return new WebSocket(browser.url.replace(/^http/, "ws") + path, { headers });
}

test.each(["//", "/api/instances/%/logs", "/api/instances/1/logs?tail=-1", "/api/instances/1/tcp/23", "/", "/api"])(
  "an upgrade to %s is not found, and harms nobody",
  async (target) => {
    const { url } = await startMainServer();
    expect(await upgrade(url, target)).toBe("HTTP/1.1 404 Not Found");
    expect((await new Browser(url).get("/health")).status).toBe(200);
  },
);

test("a viewer who says more at once than is read of them harms nobody", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const headers = { cookie: ada.headers.cookie ?? "" };
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/instances/none/shell`, { headers });
  socket.once("open", () => socket.send(Buffer.alloc(70_000)));
  await new Promise((resolve) => socket.once("close", resolve));
  expect((await ada.get("/health")).status).toBe(200);
});

test("a stream that the backend refuses ends with its reason, cut to what a WebSocket can say", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { apiKey } = await addBackend(ada);
  const backend = await connectBackend(url, apiKey);
  const { body } = await ada.post("/api/instances", { sshPublicKey: sshPublicKey() });
  const path = `/api/instances/${(body as { id: string }).id}/logs`;
  backend.scripts.set("open-stream", () => failure("CONFLICT"));
  expect(await endOf(ada, path)).toEqual({ code: 4000, reason: "It failed with CONFLICT." });
  backend.scripts.set("open-stream", () => ({ ...failure("CONFLICT"), message: `x${"ä".repeat(200)}` }));
  expect((await endOf(ada, path)).reason).toMatch(/^xä{50,60}$/);
});

test("whoever manages a backend sees what its containers use, and nobody else does", async () => {
  const { url } = await startMainServer();
  const admin = await signedUp(url, "ada");
  const { id, apiKey } = await addBackend(admin);
  const backend = await connectBackend(url, apiKey);
  const far = openStreams(backend, url);
  const path = `/api/backends/${id}/containers/grace/stats`;
  const viewer = viewerOf(admin, path);
  await once(viewer, "open");
  await expect.poll(() => far.length).toBe(1);
  const target = { kind: "stats", username: "grace" };
  expect(backend.commands("open-stream").map(({ request }) => request)).toMatchObject([{ target }]);
  viewer.close();
  const stranger = await signedUp(url, "grace");
  expect(await endOf(stranger, path)).toEqual({ code: 4000, reason: "There is no such backend." });
  expect(backend.commands("open-stream")).toHaveLength(1);
});

/** A shell of ada's, opened in each of two sessions of hers, and a third session that only looks on. */
async function shells() {
  const { url } = await startMainServer();
  const first = await signedUp(url, "ada");
  const [second, third] = [await signedIn(url, "ada"), await signedIn(url, "ada")];
  const { apiKey } = await addBackend(first);
  const backend = await connectBackend(url, apiKey);
  const { body } = await first.post("/api/instances", { sshPublicKey: sshPublicKey() });
  const path = `/api/instances/${(body as { id: string }).id}/shell`;
  const farEnds = openStreams(backend, url);
  const open = async (browser: Browser) => {
    const viewer = viewerOf(browser, path);
    const end = once(viewer, "close") as Promise<[number, Buffer]>;
    await once(viewer, "open");
    return { viewer, end: end.then(([code, reason]) => ({ code, reason: reason.toString() })) };
  };
  const inFirst = await open(first);
  const inSecond = await open(second);
  await expect.poll(() => farEnds.map(({ readyState }) => readyState)).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  return { url, first, second, third, inFirst, inSecond, farEnds };
}

const OVER = { code: 4000, reason: "Your session has ended; sign in again." };

test("a stream ends as its session is signed out, and those of other sessions go on", async () => {
  const { first, inFirst, inSecond, farEnds } = await shells();
  await first.post("/api/auth/signout");
  expect(await inFirst.end).toEqual(OVER);
  await expect.poll(() => farEnds[0]?.readyState).toBe(WebSocket.CLOSED);
  expect(inSecond.viewer.readyState).toBe(WebSocket.OPEN);
});

test("a stream ends as its session is ended from another one", async () => {
  const { second, third, inFirst, inSecond } = await shells();
  const { body } = await second.get("/api/auth/sessions");
  const { sessions } = body as { sessions: { id: string; current: boolean }[] };
  const own = sessions.find(({ current }) => current)?.id ?? "";
  await third.delete(`/api/auth/sessions/${own}`);
  expect(await inSecond.end).toEqual(OVER);
  expect(inFirst.viewer.readyState).toBe(WebSocket.OPEN);
});

test("streams of every other session end as the password is changed", async () => {
  const { first, inFirst, inSecond } = await shells();
  await first.post("/api/auth/password", { currentPassword: PASSWORD, newPassword: "another horse battery" });
  expect(await inSecond.end).toEqual(OVER);
  await delay(50);
  expect(inFirst.viewer.readyState).toBe(WebSocket.OPEN);
});

test("whoever is told that a session is over types no more, even without going", async () => {
  const { first, inFirst, farEnds } = await shells();
  const heard: string[] = [];
  farEnds[0]?.on("message", (data: Buffer) => heard.push(data.toString()));
  inFirst.viewer.send("before");
  await expect.poll(() => heard).toEqual(["before"]);
  // Reads no farewell, so answers none.
  inFirst.viewer.pause();
  await first.post("/api/auth/signout");
  inFirst.viewer.send("after");
  await delay(200);
  expect(heard).toEqual(["before"]);
  inFirst.viewer.terminate();
});
