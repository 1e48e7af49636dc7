import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pingSocket, socketPath } from "./engine-ping.mjs";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "dockhost-ping-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Whether the Engine behind a socket, played by `listener`, is taken for one. */
async function answerOf(listener: RequestListener, timeoutMs?: number) {
  const path = join(folder, `${Math.random()}.sock`);
  const engine = createServer(listener).listen(path);
  await once(engine, "listening");
  try {
    return await pingSocket(path, timeoutMs);
  } finally {
    engine.closeAllConnections();
    engine.close();
  }
}

test("an Engine is there when it answers its ping", async () => {
  expect(
    await answerOf((request, response) => response.writeHead(request.url === "/_ping" ? 200 : 404).end("OK")),
  ).toBe("ok");
});

test("an Engine that fails or never answers is silent", async () => {
  expect(await answerOf((_, response) => response.writeHead(500).end())).toBe("silent");
  expect(await answerOf(() => undefined, 200)).toBe("silent");
});

test("a missing socket, and a file that is none, are no Engine", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(await pingSocket(join(folder, "nothing"))).toBe("absent");
  expect(await pingSocket(file)).toBe("refused");
});

test("DOCKER_HOST names the socket, else the usual one counts", () => {
  expect(socketPath("unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
  expect(socketPath(undefined)).toBe("/var/run/docker.sock");
});
