import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer as createHttpServer, request } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FaultProxy } from "./fault-proxy.ts";

const HOST = "127.0.0.1";

/** Long enough for whatever could arrive to have arrived. */
const A_WHILE_MS = 150;

describe("a bad network", () => {
  let echo: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    // Each byte is answered by itself, an end by an end.
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    echo.listen(0, HOST);
    await once(echo, "listening");
  });
  afterAll(() => echo.close());
  beforeEach(async () => {
    const { port } = echo.address() as AddressInfo;
    proxy = await FaultProxy.open({ host: HOST, port: 0 }, { host: HOST, port });
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  test("without a fault hands on everything in order, and an end as an end", async () => {
    const caller = await Caller.reach(proxy);
    const sent = Buffer.alloc(3_000_000, "abcdefg");
    caller.socket.end(sent);
    await caller.closed;
    expect(caller.received.equals(sent)).toBe(true);
    expect(proxy.connections).toBe(0);
  });

  test("holds bytes back while it is half-open, for open and new connections, and delivers them after", async () => {
    const before = await Caller.reach(proxy);
    proxy.faults = { held: "both" };
    const after = await Caller.reach(proxy);
    for (const { socket } of [before, after]) socket.write("hello");
    await delay(A_WHILE_MS);
    for (const { text, socket } of [before, after]) expect([text, socket.closed]).toEqual(["", false]);
    proxy.faults = {};
    for (const caller of [before, after]) await caller.has("hello");
  });

  test("holds one direction and hands on the other", async () => {
    const arrived = once(echo, "connection") as Promise<[Socket]>;
    const caller = await Caller.reach(proxy);
    const [served] = await arrived;
    proxy.faults = { held: "down" };
    caller.socket.write("hello");
    await once(served, "data");
    await delay(A_WHILE_MS);
    expect(caller.text).toBe("");
    proxy.faults = {};
    await caller.has("hello");
  });

  test("cuts what it carries into pieces, lets it wait, and slows it", async () => {
    proxy.faults = { pieceBytes: 1, latencyMs: 5, bytesPerSecond: 500 };
    const caller = await Caller.reach(proxy);
    const begin = performance.now();
    caller.socket.write("twenty bytes of text");
    await caller.has("twenty bytes of text");
    // 20 pieces up, each 5 ms late and 2 ms long.
    expect(performance.now() - begin).toBeGreaterThan(20 * 7);
    expect(caller.pieces).toBeGreaterThan(5);
  });

  test("cuts by an end, and resets by a reset", async () => {
    const cut = await Caller.reach(proxy);
    proxy.cut();
    await cut.closed;
    expect(cut.fault).toBeUndefined();
    const reset = await Caller.reach(proxy);
    reset.socket.write("hello");
    await reset.has("hello");
    proxy.reset();
    await reset.closed;
    expect(reset.fault).toBe("ECONNRESET");
  });

  test("vanishes, and appears at the same port", async () => {
    const caller = await Caller.reach(proxy);
    const { port } = proxy;
    await proxy.vanish();
    await caller.closed;
    await expect(Caller.reach(proxy)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await proxy.appear();
    expect(proxy.port).toBe(port);
    const again = await Caller.reach(proxy);
    again.socket.write("hello");
    await again.has("hello");
  });
});

describe("a bad connection to an HTTP server on a unix socket", () => {
  let folder: string;
  let asked: string[];
  let server: Server;
  let proxy: FaultProxy;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dockhost-proxy-"));
    asked = [];
    server = createHttpServer((call, response) => {
      asked.push(call.url ?? "");
      if (call.url !== "/events") response.end("done");
      else response.write("begin");
    });
    server.listen(join(folder, "server.sock"));
    await once(server, "listening");
    proxy = await FaultProxy.open(join(folder, "proxy.sock"), join(folder, "server.sock"));
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    server.close();
    await rm(folder, { recursive: true });
  });

  const call = (path: string, agent?: Agent): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { socketPath: join(folder, "proxy.sock"), path, method: "POST", agent };
      request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (more: string) => (text += more));
        response.on("end", () => resolve(text)).on("error", reject);
      })
        .on("error", reject)
        .end();
    });

  test("loses the one reply that it was told to lose, after the request has been served", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const lost = proxy.loseReply(/^POST \/create/);
    expect(await call("/list", agent)).toBe("done");
    await expect(call("/create?name=x", agent)).rejects.toMatchObject({ code: "ECONNRESET" });
    await lost;
    expect(asked).toEqual(["/list", "/create?name=x"]);
    expect(await call("/create?name=x", agent)).toBe("done");
    agent.destroy();
  });

  test("is cut for those whose request was named, and for no other", async () => {
    const agent = new Agent({ keepAlive: true });
    const events = call("/events", agent);
    const broken = expect(events).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await call("/list", agent)).toBe("done");
    while (!asked.includes("/events")) await delay(5);
    proxy.cut(/^POST \/events/);
    await broken;
    expect(proxy.connections).toBe(1);
    agent.destroy();
  });
});

/** Somebody at the near end. */
class Caller {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  pieces = 0;
  fault: string | undefined;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (more: Buffer) => {
      this.received = Buffer.concat([this.received, more]);
      this.pieces += 1;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => (this.fault = error.code));
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async reach({ port }: FaultProxy): Promise<Caller> {
    const socket = connect({ host: HOST, port });
    await once(socket, "connect");
    return new Caller(socket);
  }

  get text(): string {
    return this.received.toString();
  }

  async has(text: string): Promise<void> {
    while (this.text !== text) await Promise.race([once(this.socket, "data"), this.closed.then(() => this.#tooSoon())]);
  }

  #tooSoon(): never {
    throw new Error(`closed after ${this.text}`);
  }
}
