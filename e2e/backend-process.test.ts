import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BackendProcess, type Environment } from "./support/backend-process.ts";
import { removeBackend } from "./support/cleanup.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { API_KEY, MainServerDouble } from "./support/main-server-double.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

const STACK = /\n\s+at .+:\d+:\d+/;

test("--help tells every setting, --version the version, and neither needs any", async () => {
  await using help = new BackendProcess({}, ["--help"]);
  expect((await help.ended).code).toBe(0);
  for (const variable of ["DOCKHOST_API_KEY", "MAIN_SERVER_BACKEND_URL", "DOCKHOST_PORT_RANGE", "DOCKER_HOST"]) {
    expect(help.stdout).toContain(variable);
  }
  await using version = new BackendProcess({}, ["--version"]);
  expect((await version.ended).code).toBe(0);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("all faults of the configuration are told at once, one sentence each, and it ends with 1", async () => {
  await using backend = new BackendProcess({
    DOCKHOST_PORT_RANGE: "80-81",
    DOCKHOST_MEMORY: "lots",
    DOCKHOST_BIND_ADDRESS: "everywhere",
  });
  expect(await backend.ended).toEqual({ code: 1, signal: null });
  const variables = [
    "DOCKHOST_API_KEY",
    "MAIN_SERVER_BACKEND_URL",
    "DOCKHOST_PORT_RANGE",
    "DOCKHOST_MEMORY",
    "DOCKHOST_BIND_ADDRESS",
  ];
  const lines = backend.stderr.trim().split("\n");
  for (const variable of variables) expect(lines.filter((line) => line.startsWith(`${variable} `))).toHaveLength(1);
  expect(lines).toHaveLength(variables.length + 1);
  expect(backend.output).not.toMatch(STACK);
});

test("a data directory that cannot be made is told in one sentence, and it ends with 1", async () => {
  await using backend = new BackendProcess({
    DOCKHOST_API_KEY: API_KEY,
    MAIN_SERVER_BACKEND_URL: "localhost:1",
    DOCKHOST_DATA_DIR: "/dev/null/no-such-place",
  });
  expect(await backend.ended).toEqual({ code: 1, signal: null });
  expect(backend.output).toContain("The data directory /dev/null/no-such-place cannot be used");
  expect(backend.output).not.toMatch(STACK);
});

test("the older name of the address, without a scheme, reaches the main server by name", async () => {
  await using server = await MainServerDouble.listen();
  const folder = await mkdtemp(join(tmpdir(), "dockhost-e2e-"));
  try {
    await using backend = new BackendProcess({
      DOCKHOST_API_KEY: API_KEY,
      MAIN_SERVER: `localhost:${server.port}`,
      DOCKHOST_DATA_DIR: folder,
    });
    await (await server.connection()).said.report("inventory");
    expect((await backend.end("SIGINT")).code).toBe(0);
  } finally {
    await removeBackend(folder);
  }
});

/** Every command once, some of them refused, and a connection lost. */
async function live(site: Site): Promise<void> {
  const username = newUser("ada");
  const { connection } = site;
  const request = { username, sshPublicKey: key.publicKey };
  await connection.succeed("create-container", request);
  await connection.refusal("create-container", "ALREADY_EXISTS", request);
  await connection.refusal("create-container", "INVALID_KEY", { ...request, sshPublicKey: `x ${key.publicKey}` });
  await connection.refusal("create-container", "INVALID_ARGUMENT", { ...request, sshPublicKey: [key.publicKey] });
  await connection.refusal("create-container", "INVALID_ARGUMENT", { ...request, image: API_KEY });
  await connection.succeed("set-ssh-keys", { username, sshPublicKeys: [key.publicKey] });
  await connection.succeed("stop-container", { username });
  await connection.succeed("start-container", { username });
  await connection.succeed("delete-container", { username });
  const next = site.server.nextConnection();
  connection.socket.disconnect(true);
  await (await next).said.report("inventory");
}

test("SIGTERM ends it within ten seconds, with 0, also while Docker takes calls and answers none", async () => {
  const socket = join(tmpdir(), `dockhost-e2e-${randomUUID()}.sock`);
  await using engine = await FaultProxy.open(socket, "/var/run/docker.sock");
  await using site = await Site.open({ environment: { DOCKER_HOST: `unix://${socket}` } });
  engine.faults = { held: "both" };
  site.connection.socket.emit("create-container", { username: newUser("eve"), sshPublicKey: key.publicKey });
  const exit = await Promise.race([site.backend.end("SIGTERM"), delay(10_000, "still there", { ref: false })]);
  expect(exit).toEqual({ code: 0, signal: null });
  engine.faults = {};
});

describe("what a backend writes in its life", () => {
  let plain: BackendProcess;
  let traced: BackendProcess;

  beforeAll(async () => {
    await using site = await Site.prepare();
    [plain, traced] = [
      await lived(site, { LOG_FORMAT: "pretty" }),
      await lived(site, { LOG_FORMAT: "json", LOG_LEVEL: "trace", DEBUG: "dockhost:*" }),
    ];
  });

  async function lived(site: Site, environment: Environment): Promise<BackendProcess> {
    const backend = site.start(environment);
    await site.ready(backend);
    await live(site);
    expect((await backend.end()).code).toBe(0);
    return backend;
  }

  test("holds no key, however much of it is asked for, and no stack trace where nobody asks", () => {
    const body = key.publicKey.split(" ")[1] ?? "";
    for (const { output } of [plain, traced]) {
      const lines = output.split("\n");
      expect(lines.filter((line) => line.includes(API_KEY) || line.includes(body))).toEqual([]);
    }
    expect(plain.output).not.toMatch(STACK);
  });

  test("is one readable line per event where that is asked for", () => {
    const lines = plain.stdout.trim().split("\n");
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) expect(line).toMatch(/\d\d:\d\d:\d\d/);
    expect(plain.stderr).toBe("");
  });

  test("is JSON line by line where that is asked for", () => {
    const text = expect.any(String) as unknown;
    for (const line of traced.log) expect(line).toMatchObject({ level: text, msg: text });
    const said = traced.log.map(({ msg }) => msg).join("\n");
    for (const event of ["Connected to the main server", "Container created", "Unable to create container"]) {
      expect(said).toContain(event);
    }
  });

  test("holds each step with its timing where DEBUG asks", () => {
    for (const namespace of ["link", "ports", "engine", "ssh"]) {
      expect(traced.stderr).toContain(`dockhost:${namespace}`);
    }
    expect(traced.stderr).toMatch(/create-container \d+(\.\d+)? ms/);
  });
});
