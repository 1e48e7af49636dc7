import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ByteStream, type StreamListener } from "./byte-stream.ts";
import type { StreamState } from "./stream-state.ts";

/** The far end, as a viewer finds it: a real server, whose sockets come in the order of the dials. */
class FarEnd {
  readonly sockets: WebSocket[] = [];
  readonly heard: (string | Buffer)[] = [];
  readonly paths: (string | undefined)[] = [];
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1" });

  constructor() {
    this.#server.on("connection", (socket, { url }) => {
      this.sockets.push(socket);
      this.paths.push(url);
      socket.on("message", (data: Buffer, isBinary) => this.heard.push(isBinary ? data : data.toString("utf8")));
    });
  }

  async open(): Promise<string> {
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/instances/i1/logs`;
  }

  close(): void {
    for (const socket of this.sockets) socket.terminate();
    this.#server.close();
  }

  async dialled(times: number): Promise<WebSocket> {
    return vi.waitFor(() => {
      const socket = this.sockets[times - 1];
      if (!socket) throw new Error(`Nobody has dialled ${times} times.`);
      return socket;
    }, 5_000);
  }
}

let far: FarEnd;
let stream: ByteStream;
let states: StreamState[];
let listener: StreamListener;
let text: string;
let seen: (() => void)[];

beforeEach(async () => {
  far = new FarEnd();
  [states, text, seen] = [[], "", []];
  listener = {
    onState: (state) => void states.push(state),
    onOpen: () => (text = ""),
    onBytes(bytes, sayDone) {
      text += new TextDecoder().decode(bytes);
      seen.push(sayDone);
    },
  };
  vi.stubGlobal("WebSocket", WebSocket);
  vi.stubGlobal("location", { href: await far.open() });
  stream = new ByteStream(() => "/api/instances/i1/logs?tail=500", listener);
});

afterEach(() => {
  stream.close();
  far.close();
  vi.unstubAllGlobals();
});

const isNow = (kind: StreamState["kind"]) => vi.waitFor(() => expect(states.at(-1)?.kind).toBe(kind), 5_000);

describe("ByteStream", () => {
  it("dials the path at the page's own origin and hands over what comes", async () => {
    stream.dial();
    const socket = await far.dialled(1);
    socket.send(Buffer.from("hello"));
    await vi.waitFor(() => expect(text).toBe("hello"));
    expect(far.paths).toEqual(["/api/instances/i1/logs?tail=500"]);
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "connected"]);
  });

  it("says how far it has come only once what came is shown", async () => {
    stream.dial();
    const socket = await far.dialled(1);
    socket.send(Buffer.from("12345"));
    socket.send(Buffer.from("678"));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    expect(far.heard).toEqual([]);
    for (const say of seen) say();
    await vi.waitFor(() => expect(far.heard).toHaveLength(2));
    expect(far.heard).toEqual(['{"kind":"seen","bytes":5}', '{"kind":"seen","bytes":8}']);
  });

  it("counts each connection's bytes for itself, and what is shown late for the one that it came by", async () => {
    stream.dial();
    (await far.dialled(1)).send(Buffer.from("early"));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    stream.dial();
    (await far.dialled(2)).send(Buffer.from("late"));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    for (const say of seen) say();
    await vi.waitFor(() => expect(far.heard).toEqual(['{"kind":"seen","bytes":4}']));
  });

  it("cuts what is pasted into frames that the main server takes", async () => {
    stream.dial();
    await far.dialled(1);
    await isNow("connected");
    const pasted = Uint8Array.from({ length: 150_000 }, (_, index) => index % 251);
    stream.send(pasted);
    await vi.waitFor(() => expect(Buffer.concat(far.heard as Buffer[])).toHaveLength(150_000));
    expect(Buffer.concat(far.heard as Buffer[]).equals(pasted)).toBe(true);
    expect(Math.max(...far.heard.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
  });

  it("comes back by itself when it was cut off", async () => {
    stream.dial();
    const socket = await far.dialled(1);
    socket.send(Buffer.from("before"));
    await vi.waitFor(() => expect(text).toBe("before"));
    socket.terminate();
    await isNow("lost");
    (await far.dialled(2)).send(Buffer.from("after"));
    await vi.waitFor(() => expect(text).toBe("after"));
  });

  it("leaves what is over alone until it is asked for again", async () => {
    stream.dial();
    (await far.dialled(1)).close(4000, "It failed.");
    await isNow("ended");
    expect(states.at(-1)).toEqual({ kind: "ended", reason: "It failed.", failed: true });
    stream.dial();
    await far.dialled(2);
    await isNow("connected");
  });

  it("is silent once it is closed", async () => {
    stream.dial();
    const socket = await far.dialled(1);
    await isNow("connected");
    stream.close();
    socket.send(Buffer.from("too late"));
    await once(socket, "close");
    expect(text).toBe("");
    expect(states.at(-1)?.kind).toBe("connected");
  });
});
