import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { STREAM_CLOSE } from "@dockhost/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { joined } from "./stream-pair.ts";

const IDLE_MS = 150;

let server: WebSocketServer;
let url: string;

beforeEach(async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  server = new WebSocketServer({ server: http });
  server.once("close", () => http.close());
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

/** Somebody far away, and our end of the line to them. */
async function line(): Promise<{ far: WebSocket; near: WebSocket }> {
  const far = new WebSocket(url);
  const [[near]] = (await Promise.all([once(server, "connection"), once(far, "open")])) as unknown as [[WebSocket]];
  return { far, near };
}

const endOf = async (socket: WebSocket): Promise<number> => ((await once(socket, "close")) as [number])[0];

test("two sides between which nothing goes through are both let go, and told that it was for that", async () => {
  const [viewer, backend] = [await line(), await line()];
  const ends = [endOf(viewer.far), endOf(backend.far)];
  await joined(viewer.near, backend.near, IDLE_MS);
  expect(await Promise.all(ends)).toEqual([STREAM_CLOSE.idle, STREAM_CLOSE.idle]);
});

test("two sides that speak, if only one of them, are kept", async () => {
  const [viewer, backend] = [await line(), await line()];
  const over = joined(viewer.near, backend.near, 1_500);
  let heard = 0;
  viewer.far.on("message", () => heard++);
  for (let said = 0; said < 6; said++) {
    backend.far.send("still here");
    await delay(500);
  }
  await expect.poll(() => heard).toBe(6);
  expect(viewer.far.readyState).toBe(WebSocket.OPEN);
  viewer.far.close(1000);
  await over;
});

test("who leaves takes the other along, with their word", async () => {
  const [viewer, backend] = [await line(), await line()];
  const over = joined(viewer.near, backend.near, 60_000);
  const told = once(viewer.far, "close") as Promise<[number, Buffer]>;
  backend.far.close(4000, "The container has stopped.");
  const [code, reason] = await told;
  expect({ code, reason: reason.toString() }).toEqual({ code: 4000, reason: "The container has stopped." });
  await over;
});
