import { createServer, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MainServerDouble } from "../../test/main-server-double.ts";
import { createLog } from "../observe/log.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";

const QUICKLY = { lost: { first: 5, last: 20 }, refused: { first: 5, last: 20 } };

let server: MainServerDouble;
let connections: Connection[];
let logLines: string[];

beforeEach(async () => {
  connections = [];
  logLines = [];
  server = new MainServerDouble();
  await server.listen();
});
afterEach(async () => {
  for (const connection of connections) connection.close();
  await server[Symbol.asyncDispose]();
});

describe("a backend comes back", () => {
  it("after the server itself has ended the connection", async () => {
    const first = server.nextConnection();
    connect();
    const socket = await first;
    const second = server.nextConnection();
    socket.disconnect(true);
    await second;
  });

  it("after the server was away, on the same address", async () => {
    const { port } = server;
    const first = server.nextConnection();
    connect();
    await first;
    await server[Symbol.asyncDispose]();
    await logged(/Lost the main server/);
    server = new MainServerDouble();
    const second = server.nextConnection();
    await server.listen(port);
    await second;
  });

  it("when a key that was refused is accepted again, having said so", async () => {
    server.refuse("unknown key");
    connect();
    await logged(/Authentication failed; check DOCKHOST_API_KEY/);
    const accepted = server.nextConnection();
    server.refuse(undefined);
    await accepted;
  });

  it("never where another agent has taken over its key", async () => {
    const first = server.nextConnection();
    connect();
    const socket = await first;
    socket.emit("superseded");
    socket.disconnect(true);
    await logged(/Another agent has connected with this API key/);
    await quiet();
    expect(server.io.sockets.sockets.size).toBe(0);
  });
});

describe("a backend that cannot reach its main server", () => {
  it("says which address refused it, and keeps trying", async () => {
    const port = await unusedPort();
    connect({ url: `http://127.0.0.1:${port}` });
    await logged(new RegExp(`connect ECONNREFUSED 127\\.0\\.0\\.1:${port}; check MAIN_SERVER_BACKEND_URL`), 3);
  });

  it("waits longer each time, up to the last waiting time", async () => {
    connect({ url: `http://127.0.0.1:${await unusedPort()}`, retryMs: { lost: { first: 4, last: 16 } } });
    const waits = (await logged(/ECONNREFUSED/, 6)).map(
      (line) => (JSON.parse(line) as { retryInMs: number }).retryInMs,
    );
    expect(waits[0]).toBeLessThanOrEqual(8);
    for (const wait of waits.slice(3)) expect(wait).toBeGreaterThanOrEqual(8);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(16);
  });
});

describe("the handshake", () => {
  it("carries the key, the role, what tells two agents apart, and this machine's address", async () => {
    const connection = server.nextConnection();
    connect();
    const { handshake } = await connection;
    const told = { DOCKHOST_API_KEY: "dkh_k", protocol: 1, version: "1.2.3", agentId: "agent-1" };
    expect(handshake.auth).toEqual({ ...told, LAN_IP: "192.0.2.7" });
    expect(handshake.query).toMatchObject({ role: "backend" });
  });
});

function connect(options: Partial<ConnectionOptions> = {}): void {
  const log = createLog({ format: "json", level: "info", destination: { write: (line) => logLines.push(line) } });
  const identity = { apiKey: "dkh_k", version: "1.2.3", agentId: "agent-1", lanAddress: () => "192.0.2.7" };
  const connection = new Connection({ url: server.url, ...identity, log, retryMs: QUICKLY, ...options });
  connections.push(connection);
  connection.open();
}

/** Resolves with the lines that match once there are `times` of them. */
async function logged(pattern: RegExp, times = 1): Promise<string[]> {
  const matching = () => logLines.filter((line) => pattern.test(line));
  await expect.poll(() => matching().length, { interval: 5, timeout: 5_000 }).toBeGreaterThanOrEqual(times);
  return matching();
}

/** Several times the longest waiting time. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 100));

async function unusedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
