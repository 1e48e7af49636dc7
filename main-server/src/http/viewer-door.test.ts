import { connect } from "node:net";
import { text } from "node:stream/consumers";
import WebSocket from "ws";
import { expect, test } from "vitest";
import { addBackend, Browser, signedUp } from "../testing/browser.ts";
import { connectBackend, failure, sshPublicKey } from "../testing/fake-backend.ts";
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
  const headers = { cookie: browser.headers.cookie ?? "" };
  const socket = new WebSocket(browser.url.replace(/^http/, "ws") + path, { headers });
  return new Promise((resolve, reject) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.once("error", reject);
  });
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
