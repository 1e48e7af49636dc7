import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BackendProcess } from "./support/backend-process.ts";
import { removeBackend } from "./support/cleanup.ts";
import { docker } from "./support/docker-cli.ts";
import { DockHostProcess } from "./support/dockhost-process.ts";
import { freePort, freePortRange } from "./support/ports.ts";
import { RestUser } from "./support/rest-user.ts";
import { newUser } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

interface Instance {
  id: string;
  backendId: string;
  containerId: string;
  state: string;
  stateReason: string | null;
  ports: { ssh: number; http: number; https: number };
  ssh: { command: string; hostKeyFingerprint: string; knownHosts: string };
}

let folder: string;
let url: string;
let dockhost: DockHostProcess;
let ssh: SshUser;
let key: KeyPair;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-main-job-"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  environment = {
    DOCKHOST_DATA_DIR: folder,
    DOCKHOST_LISTEN: `127.0.0.1:${port}`,
    DOCKHOST_PORT_RANGE: await freePortRange(30),
  };
  ssh = await SshUser.arrive();
  key = await ssh.newKey("ada");
  dockhost = new DockHostProcess(environment);
});

afterAll(async () => {
  await dockhost[Symbol.asyncDispose]();
  await ssh[Symbol.asyncDispose]();
  await removeBackend(folder);
});

describe("npm start", () => {
  const username = newUser("ada");
  let user: RestUser;
  let instance: Instance;

  test("says where the API is, what runs, and how to make a first instance", async () => {
    const greeting = await dockhost.greeting();
    expect(greeting).toContain(`API        ${url}`);
    expect(greeting).toMatch(/main server \(process \d+\), backend \(process \d+\)/);
    expect(greeting).toContain(`${url}/api/auth/signup`);
    expect(greeting).toContain(`${url}/api/instances`);
  });

  test("ends in a real ssh login by a signed-up user, at the host key that the answer names", async () => {
    user = await RestUser.signUp(url, username);
    const { status, body } = await user.call("POST", "/api/instances", { sshPublicKey: key.publicKey });
    expect(status).toBe(201);
    instance = body as Instance;
    expect(instance).toMatchObject({
      state: "running",
      ssh: { command: `ssh -p ${instance.ports.ssh} root@127.0.0.1` },
    });
    expect(await logIn(instance)).toMatchObject({ stdout: "root\n" });
  });

  test("answers the line for known_hosts, with which plain ssh asks nothing and trusts nothing else", async () => {
    const { knownHosts } = instance.ssh;
    const scanned = (await ssh.scan(instance)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(scanned).toEqual([knownHosts]);
    const login = { ...instance, ssh: { ...instance.ssh, user: "root" } };
    expect(await ssh.loginKnowing(`${knownHosts}\n`, login, key)).toMatchObject({ stdout: "root\n" });
    const other = knownHosts.replace(/.{8}$/, "AAAAAAAA");
    expect(await ssh.loginKnowing(`${other}\n`, login, key)).toMatchObject({ code: 255, stdout: "" });
  });

  test("ends at Ctrl-C with exit code 0, while instances keep running", async () => {
    expect(await dockhost.end("SIGINT")).toBe(0);
    expect(await docker("inspect", "--format", "{{.State.Running}}", instance.containerId)).toContain("true");
    expect(await logIn(instance)).toMatchObject({ stdout: "root\n" });
  });

  test("finds accounts, sessions and instances again at the next start", async () => {
    dockhost = new DockHostProcess(environment);
    await dockhost.greeting();
    const { body } = await user.call("GET", `/api/instances/${instance.id}`);
    expect(body).toEqual(instance);
  });

  test("stops, starts and deletes an instance at its user's word, with files and ports kept until then", async () => {
    await logIn(instance, "echo kept > /root/note");
    const stopped = await user.call("POST", `/api/instances/${instance.id}/stop`);
    expect(stopped).toMatchObject({ status: 200, body: { state: "stopped", ports: instance.ports } });
    const started = await user.call("POST", `/api/instances/${instance.id}/start`);
    expect(started).toMatchObject({ status: 200, body: { state: "running", ports: instance.ports } });
    expect(await logIn(instance, "cat /root/note")).toMatchObject({ stdout: "kept\n" });
    expect((await user.call("DELETE", `/api/instances/${instance.id}`)).status).toBe(200);
    expect((await user.call("GET", `/api/instances/${instance.id}`)).status).toBe(404);
    expect(await docker("ps", "-aq", "--no-trunc", "--filter", `id=${instance.containerId}`)).toBe("");
  });

  test("serves everyone: a user sees and touches only their own", async () => {
    const { body } = await user.call("POST", "/api/instances", { sshPublicKey: key.publicKey });
    const { id } = body as Instance;
    const stranger = await RestUser.signUp(url, newUser("eve"));
    expect((await stranger.call("GET", "/api/instances")).body).toMatchObject({ instances: [] });
    expect((await stranger.call("GET", `/api/instances/${id}`)).status).toBe(404);
    expect((await stranger.call("POST", `/api/instances/${id}/stop`)).status).toBe(404);
    expect((await stranger.call("DELETE", `/api/instances/${id}`)).status).toBe(404);
    expect((await stranger.call("GET", "/api/backends")).body).toMatchObject({
      backends: [{ shared: true, status: "online" }],
    });
    expect((await user.call("DELETE", `/api/instances/${id}`)).status).toBe(200);
  });

  test("corrects its record when a container is removed by hand", async () => {
    const { body } = await user.call("POST", "/api/instances", { sshPublicKey: key.publicKey });
    const { id, containerId } = body as Instance;
    await docker("rm", "--force", containerId);
    const state = async () => ((await user.call("GET", `/api/instances/${id}`)).body as Instance).state;
    await expect.poll(state, { timeout: 15_000 }).toBe("gone");
    expect((await user.call("DELETE", `/api/instances/${id}`)).status).toBe(200);
  });
});

describe("another machine's backend", () => {
  test("serves its owner with the key that was shown once, and is cut off when the key is revoked", async () => {
    const owner = await RestUser.signUp(url, newUser("olga"));
    const made = (await owner.call("POST", "/api/backends", { name: "lab-1" })).body as {
      backend: { id: string };
      apiKey: string;
    };
    const dataDirectory = await mkdtemp(join(tmpdir(), "dockhost-lab-"));
    await using backend = new BackendProcess({
      DOCKHOST_API_KEY: made.apiKey,
      MAIN_SERVER_BACKEND_URL: url,
      DOCKHOST_DATA_DIR: dataDirectory,
      DOCKHOST_PORT_RANGE: await freePortRange(30),
    });
    const view = async () => (await owner.call("GET", `/api/backends/${made.backend.id}`)).body as { status: string };
    await expect.poll(async () => (await view()).status).toBe("online");

    const request = { sshPublicKey: key.publicKey, backendId: made.backend.id };
    const { status, body } = await owner.call("POST", "/api/instances", request);
    expect(status).toBe(201);
    expect(await logIn(body as Instance)).toMatchObject({ stdout: "root\n" });

    const { keys } = (await owner.call("GET", `/api/backends/${made.backend.id}/keys`)).body as {
      keys: { id: string }[];
    };
    await owner.call("DELETE", `/api/backends/${made.backend.id}/keys/${keys[0]?.id ?? ""}`);
    await expect.poll(async () => (await view()).status, { timeout: 15_000 }).toBe("offline");
    await backend.wrote("Authentication failed");
    const { state } = (await owner.call("GET", `/api/instances/${(body as Instance).id}`)).body as Instance;
    expect(state).toBe("unreachable");
    await backend.leave();
    await removeBackend(dataDirectory);
  });
});

const logIn = ({ containerId, ports, ssh: { hostKeyFingerprint } }: Instance, command?: string) =>
  ssh.login({ containerId, ports, ssh: { user: "root", hostKeyFingerprint } }, key, command);
