import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DockerApi } from "./docker-api.ts";
import { DockerBridges } from "./docker-bridges.ts";

interface Network {
  Name: string;
  Options: Record<string, string>;
}

const INTERFACE = "com.docker.network.bridge.name";

/** The networks of an Engine, some of whose interfaces are kept for networks that it does not list. */
class NetworksDouble {
  readonly keptInterfaces = new Set<string>();
  readonly listed: (Network & { Id: string; Created: string })[] = [];
  readonly #server: Server;

  constructor(socketPath: string) {
    this.#server = createServer((request, response) => void this.#answer(request, response)).listen(socketPath);
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") return void response.end(JSON.stringify(this.listed));
    const network = JSON.parse(await text(request)) as Network;
    if (this.keptInterfaces.has(network.Options[INTERFACE] ?? "")) {
      const message =
        "cannot create network 1 (dockhost): conflicts with network 0 (dockhost): networks have same bridge name";
      return void response.writeHead(403).end(JSON.stringify({ message }));
    }
    this.listed.push({ ...network, Id: String(this.listed.length), Created: "2026-01-01" });
    response.writeHead(201).end("{}");
  }
}

let folder: string;
let engine: NetworksDouble;
let bridges: DockerBridges;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-networks-"));
  const socketPath = join(folder, "docker.sock");
  engine = new NetworksDouble(socketPath);
  bridges = new DockerBridges(new DockerApi({ kind: "unix", socketPath }));
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

test("an Engine that died while it made the bridge, and keeps its interface for nobody, gets it under another", async () => {
  engine.keptInterfaces.add("dockhost");
  await bridges.ensure("dockhost");
  await bridges.ensure("dockhost");
  expect(engine.listed).toMatchObject([{ Name: "dockhost", Options: { [INTERFACE]: "dockhost-2" } }]);
  expect(await bridges.interfaceOf("dockhost")).toBe("dockhost-2");
});

test("an interface that another agent's bridge has, which is listed a moment later, is waited for", async () => {
  engine.keptInterfaces.add("dockhost");
  const made = bridges.ensure("dockhost");
  const theirs = { "com.docker.network.bridge.enable_icc": "false", [INTERFACE]: "dockhost" };
  setTimeout(() => engine.listed.push({ Name: "dockhost", Id: "theirs", Created: "2026-01-01", Options: theirs }), 300);
  await made;
  expect(engine.listed).toHaveLength(1);
});
