import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DockerApi } from "./docker-api.ts";
import { DockerEngine } from "./docker-engine.ts";

/** What the Engine is asked, and what it answers. */
const asked: string[] = [];
const connections: Socket[] = [];
let answer: RequestListener;

let folder: string;
let address: { kind: "unix"; socketPath: string };
const server = createServer((request, response) => {
  asked.push(`${request.method} ${decodeURIComponent(request.url ?? "")}`);
  answer(request, response);
});
server.on("connection", (socket) => connections.push(socket));

beforeEach(async () => {
  asked.length = 0;
  connections.length = 0;
  folder = await mkdtemp(join(tmpdir(), "dockhost-api-"));
  address = { kind: "unix", socketPath: join(folder, "docker.sock") };
  server.listen(address.socketPath);
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const says = (status: number, body?: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status).end(body === undefined ? undefined : JSON.stringify(body));
};

describe("a call of the Engine's API", () => {
  it("sends JSON and answers JSON, with filters in the query", async () => {
    answer = (request, response) => void text(request).then((body) => response.end(JSON.stringify({ body })));
    const api = new DockerApi(address);
    const query = { all: true, filters: { label: ["a=b"] }, name: undefined };
    expect(await api.call("POST", "/things", { query, body: { some: "text" } })).toEqual({ body: '{"some":"text"}' });
    expect(asked).toEqual(['POST /things?all=true&filters={"label":["a=b"]}']);
  });

  it("answers nothing where the Engine does", async () => {
    answer = says(204);
    expect(await new DockerApi(address).call("POST", "/x")).toBeUndefined();
  });

  it("fails with the status and the message of the Engine, or with what a proxy says", async () => {
    const api = new DockerApi(address);
    answer = says(409, { message: "in use" });
    await expect(api.call("DELETE", "/x")).rejects.toMatchObject({ status: 409, message: "in use" });
    answer = (_, response) => response.writeHead(502).end("<h1>Bad Gateway</h1>");
    await expect(api.call("GET", "/x")).rejects.toMatchObject({ status: 502, message: "<h1>Bad Gateway</h1>" });
  });

  it("goes over one kept-alive connection, and over as many as there are calls at once", async () => {
    const api = new DockerApi(address);
    answer = says(200, {});
    for (let call = 0; call < 3; call += 1) await api.call("GET", "/x");
    expect(connections).toHaveLength(1);
    const held: ServerResponse[] = [];
    answer = (_, response) => void held.push(response);
    const calls = Array.from({ length: 40 }, () => api.call("GET", "/hung"));
    await expect.poll(() => held.length).toBe(40);
    answer = says(200, { here: true });
    expect(await api.call("GET", "/other")).toEqual({ here: true });
    held.forEach((response) => response.end("{}"));
    await Promise.all(calls);
  });

  it("takes megabytes in small pieces", async () => {
    const big = "ä".repeat(2_000_000);
    answer = (_, response) => {
      const body = Buffer.from(JSON.stringify({ big }));
      for (let at = 0; at < body.length; at += 65_537) response.write(body.subarray(at, at + 65_537));
      response.end();
    };
    expect(await new DockerApi(address).call("GET", "/x")).toEqual({ big });
  });

  it("ends where its signal says so", async () => {
    answer = () => undefined;
    const call = new DockerApi(address).call("GET", "/x", { signal: AbortSignal.timeout(20) });
    await expect(call).rejects.toThrow();
  });
});

describe("a connection that the Engine has closed while it was kept", () => {
  /** Answers one call, and breaks the connection at the next. */
  const breakAtSecond = (): void => {
    let calls = 0;
    answer = (request, response) => {
      calls += 1;
      if (calls === 2) request.socket.destroy();
      else says(200, [])(request, response);
    };
  };

  it("costs a call that may be made twice nothing but a second try", async () => {
    const engine = new DockerEngine(address);
    breakAtSecond();
    expect(await engine.list([])).toEqual([]);
    expect(await engine.list([])).toEqual([]);
    expect(asked).toHaveLength(3);
  });

  it("costs no more where several were kept, as after the Engine's restart", async () => {
    const engine = new DockerEngine(address);
    const held: ServerResponse[] = [];
    answer = (_, response) => void held.push(response);
    const calls = Array.from({ length: 5 }, () => engine.list([]));
    await expect.poll(() => held.length).toBe(5);
    held.forEach((response) => response.end("[]"));
    await Promise.all(calls);
    const before = [...connections];
    answer = (request, response) => {
      if (before.includes(request.socket)) request.socket.destroy();
      else says(200, [])(request, response);
    };
    expect(await engine.list([])).toEqual([]);
  });

  it("fails a create, which may have been carried out", async () => {
    const engine = new DockerEngine(address);
    breakAtSecond();
    await engine.list([]);
    const spec = { labels: {}, environment: {}, ports: {}, readOnlyMounts: [], capabilities: [], cpus: 1 };
    await expect(engine.create("x", spec as never)).rejects.toMatchObject({ kind: "unreachable" });
    expect(asked).toHaveLength(2);
  });
});

describe("the Engine's events", () => {
  it("are heard one by one, however they are cut, and end with the Engine", async () => {
    const event = (id: string) =>
      `${JSON.stringify({ Action: "die", Actor: { ID: id, Attributes: { name: "n", exitCode: "3", label: "x" } } })}\n`;
    let response: ServerResponse | undefined;
    answer = (_, given) => {
      response = given;
      given.writeHead(200).flushHeaders();
    };
    const heard: unknown[] = [];
    const signal = new AbortController().signal;
    const { ended } = await new DockerEngine(address).events("label", (one) => heard.push(one), signal);
    const both = event("one") + event("two");
    response?.write(both.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    response?.write(both.slice(20));
    await expect.poll(() => heard.length).toBe(2);
    expect(heard[1]).toEqual({ action: "die", id: "two", name: "n", labels: { label: "x" }, exitCode: 3 });
    response?.end();
    await ended;
  });

  it("fail where the connection breaks, or their listener ends them", async () => {
    answer = (_, response) => response.writeHead(200).flushHeaders();
    const engine = new DockerEngine(address);
    const stop = new AbortController();
    const [cut, stopped] = [
      await engine.events("label", () => undefined, new AbortController().signal),
      await engine.events("label", () => undefined, stop.signal),
    ];
    stop.abort();
    await expect(stopped.ended).rejects.toThrow();
    connections.forEach((socket) => socket.destroy());
    await expect(cut.ended).rejects.toMatchObject({ kind: "unreachable" });
  });
});

it("a pull fails by the line that says so, in an answer that began as a success", async () => {
  answer = (_, response) => response.end(`{"status":"Pulling"}\n{"error":"manifest unknown"}\n`);
  const pull = new DockerEngine(address).pull("r/x:latest", () => undefined, new AbortController().signal);
  await expect(pull).rejects.toMatchObject({ message: "manifest unknown" });
  expect(asked).toEqual(["POST /images/create?fromImage=r/x:latest"]);
});
