import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { UNSEEN_BYTES_MAX } from "@dockhost/protocol";
import type { StreamSource } from "../containers/stream-sources.ts";
import { Carriage } from "./carriage.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Line {
  carriage: Carriage;
  viewer: WebSocket;
  received: () => number;
  disposed: () => boolean;
}

/** A source that is carried to a viewer, who has gone as far as it says. */
async function carried(bytes: Readable, options = { isWindowed: true }): Promise<Line> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  closers.push(() => server.close());
  await once(server, "listening");
  const arriving = once(server, "connection") as Promise<[WebSocket]>;
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [[viewer]] = await Promise.all([arriving, once(socket, "open")]);
  let disposed = false;
  let received = 0;
  viewer.on("message", (data: Buffer) => (received += data.length));
  const source: StreamSource = {
    bytes,
    [Symbol.asyncDispose]() {
      disposed = true;
      bytes.destroy();
      return Promise.resolve();
    },
  };
  const carriage = new Carriage(source, socket, options);
  return { carriage, viewer, received: () => received, disposed: () => disposed };
}

const codeOf = async (viewer: WebSocket): Promise<number> => ((await once(viewer, "close")) as [number])[0];

const endless = (): Readable =>
  new Readable({
    read() {
      this.push(Buffer.alloc(16 * 1024, "y"));
    },
  });

const settled = async (value: () => number): Promise<number> => {
  for (let last = -1; last !== value();) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return value();
};

describe("what is carried over a stream's line", () => {
  it("waits for a viewer who does not say that they have seen it, and goes on from there", async () => {
    const { viewer, received } = await carried(endless());
    const first = await settled(received);
    expect(first).toBeGreaterThan(UNSEEN_BYTES_MAX);
    expect(first).toBeLessThan(UNSEEN_BYTES_MAX + 64 * 1024);
    viewer.send(JSON.stringify({ kind: "seen", bytes: first }));
    const second = await settled(received);
    expect(second - first).toBeGreaterThan(UNSEEN_BYTES_MAX - 64 * 1024);
    expect(second - first).toBeLessThan(UNSEEN_BYTES_MAX + 64 * 1024);
  });

  it("goes both ways", async () => {
    const bytes = new PassThrough();
    const { viewer } = await carried(bytes);
    viewer.send(Buffer.from("typed"));
    const [echo, isBinary] = (await once(viewer, "message")) as [Buffer, boolean];
    expect({ echo: echo.toString(), isBinary }).toEqual({ echo: "typed", isBinary: true });
  });

  it("ends with its source, and says so; and the source with the line", async () => {
    const ending = await carried(Readable.from([Buffer.from("all")]));
    expect(await codeOf(ending.viewer)).toBe(1000);
    expect(await ending.carriage.ended).toBeUndefined();
    const leaving = await carried(endless());
    leaving.viewer.terminate();
    await leaving.carriage.ended;
    expect(leaving.disposed()).toBe(true);
  });

  it("ends at once where its source has ended before the line was there", async () => {
    const bytes = new PassThrough();
    bytes.on("error", () => undefined).destroy(new Error("reset"));
    await new Promise((resolve) => bytes.once("close", resolve));
    const { viewer } = await carried(bytes);
    expect(await codeOf(viewer)).toBe(1000);
  });

  it("tells the reason where the source fails, however long it is", async () => {
    const bytes = new PassThrough();
    const { viewer, carriage } = await carried(bytes);
    bytes.destroy(new Error("ä".repeat(200)));
    const [code, reason] = (await once(viewer, "close")) as [number, Buffer];
    expect(code).toBe(4000);
    expect(reason.toString()).toMatch(/^ä{50,}…$/);
    expect(await carriage.ended).toBeInstanceOf(Error);
  });

  it.each([
    "",
    "{}",
    '{"kind":"seen"}',
    '{"kind":"seen","bytes":-1}',
    '{"kind":"resize","columns":0,"rows":1}',
    "null",
  ])("ends at a text frame that says nothing that is known (%s)", async (text) => {
    const { viewer } = await carried(new PassThrough());
    viewer.send(text);
    expect(await codeOf(viewer)).toBe(4000);
  });
});
