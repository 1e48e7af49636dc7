import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BackendProcess } from "../support/backend-process.ts";
import { removeBackend } from "../support/cleanup.ts";
import { MainServerProcess } from "../support/main-server-process.ts";
import { freePort } from "../support/ports.ts";
import { PrivateEngine } from "../support/private-engine.ts";
import { RestUser } from "../support/rest-user.ts";
import { newUser } from "../support/site.ts";
import { SshUser } from "../support/ssh.ts";
import { record } from "./ledger.ts";

interface Instance {
  id: string;
  containerId: string;
  state: string;
}

/** An agent that is not the newer one comes back within this, if it comes back at all: its longest first waits, ms. */
const FLAPS_WITHIN_MS = 6_000;

let folder: string;
let machine: PrivateEngine;
let server: MainServerProcess;
let url: string;
let owner: RestUser;
let apiKey: string;
let backendId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-agents-"));
  machine = await PrivateEngine.open();
  const { gateway } = machine.namespace;
  const port = await freePort();
  server = new MainServerProcess(join(folder, "main-server"), port, {
    DOCKHOST_LISTEN: `${gateway}:${port}`,
    DOCKHOST_SIGNUP: "open",
  });
  url = await server.ready();
  owner = await RestUser.signUp(url, newUser("owner"));
  const made = await owner.call("POST", "/api/backends", { name: "lab" });
  ({
    apiKey,
    backend: { id: backendId },
  } = made.body as { apiKey: string; backend: { id: string } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
  await removeBackend(folder);
});

/** An agent with that data directory, at work when it has told what it has. */
async function start(name: string): Promise<BackendProcess> {
  const agent = new BackendProcess(
    {
      ...machine.environment,
      DOCKHOST_API_KEY: apiKey,
      MAIN_SERVER_BACKEND_URL: url,
      DOCKHOST_DATA_DIR: join(folder, name),
    },
    [],
    machine.namespace.inside,
  );
  await agent.wrote("Recovered");
  await agent.wrote("Connected to the main server");
  return agent;
}

const connects = (agent: BackendProcess) =>
  agent.log.filter(({ msg }) => msg === "Connected to the main server").length;

async function stateOf({ id }: Instance): Promise<string> {
  return ((await owner.call("GET", `/api/instances/${id}`)).body as Instance).state;
}

test("of two agents with one key the newer acts, the older stops and says so, and neither touches the other's containers", async () => {
  await using person = await SshUser.arrive(machine.address);
  const key = await person.newKey("ada");
  await using older = await start("older");
  const { body } = await owner.call("POST", "/api/instances", { sshPublicKey: key.publicKey, backendId });
  const instance = body as Instance;
  expect(instance).toMatchObject({ state: "running" });

  await using newer = await start("newer");
  await older.wrote("Another agent has connected with this API key");
  await delay(FLAPS_WITHIN_MS);
  expect([connects(older), connects(newer)]).toEqual([1, 1]);
  const { body: backend } = await owner.call("GET", `/api/backends/${backendId}`);
  expect(backend).toMatchObject({ status: "online" });
  const running = await machine.docker("inspect", "--format", "{{.State.Running}}", instance.containerId);
  expect(running).toBe("true");

  expect((await older.end()).code).toBe(0);
  expect((await newer.end()).code).toBe(0);
  await using again = await start("older");
  await expect.poll(() => stateOf(instance)).toBe("running");
  expect((await owner.call("DELETE", `/api/instances/${instance.id}`)).status).toBe(200);
  expect((await again.end()).code).toBe(0);
  record({ fault: "two backends with one key", runs: 1 });
});
