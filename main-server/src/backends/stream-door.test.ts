import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { StreamDoor } from "./stream-door.ts";

let server: ReturnType<typeof createServer>;
let door: StreamDoor;
beforeEach(async () => {
  server = createServer();
  door = new StreamDoor(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  door[Symbol.dispose]();
  server.closeAllConnections();
  server.close();
});

function dial(streamId: string, token?: string): WebSocket {
  const { port } = server.address() as AddressInfo;
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return new WebSocket(`ws://127.0.0.1:${port}/streams/${streamId}`, { headers });
}

/** The status by which it was refused; 101 where it was let in. */
async function statusOf(socket: WebSocket): Promise<number> {
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
  });
}

describe("the door for backends' streams", () => {
  it("lets in whoever brings the token, once, and hands over what they said at once", async () => {
    const { streamId, token, arrived } = door.expect();
    const socket = dial(streamId, token);
    socket.once("open", () => socket.send("first words"));
    const received = await arrived;
    const heard = once(received ?? socket, "message") as Promise<[Buffer]>;
    received?.resume();
    expect((await heard)[0].toString()).toBe("first words");
    expect(await statusOf(dial(streamId, token))).toBe(401);
    socket.terminate();
  });

  it.each([
    ["another token", (id: string, token: string) => dial(id, `${token}x`)],
    ["a token of another length", (id: string) => dial(id, "x")],
    ["no token", (id: string) => dial(id)],
    ["another stream's id", (_id: string, token: string) => dial("00000000-0000-4000-8000-000000000000", token)],
  ])("refuses %s, and the stream stays expected", async (_, come) => {
    const { streamId, token, arrived } = door.expect();
    expect(await statusOf(come(streamId, token))).toBe(401);
    const socket = dial(streamId, token);
    expect(await statusOf(socket)).toBe(101);
    expect(await arrived).toBeDefined();
    socket.terminate();
  });

  it("refuses one that is expected no longer", async () => {
    const expectation = door.expect();
    door.forget(expectation);
    expect(await statusOf(dial(expectation.streamId, expectation.token))).toBe(401);
  });
});
