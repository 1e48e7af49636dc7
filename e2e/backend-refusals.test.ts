import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { record } from "./faults/ledger.ts";
import { docker } from "./support/docker-cli.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { freePortRange, hold } from "./support/ports.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

let person: SshUser;
let key: KeyPair;
let images: TestImages;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  images = new TestImages();
});
afterAll(async () => {
  await images[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const asking = (name: string, more: { image?: string; operationId?: string } = {}) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  ...more,
});

/** What a refused create must not leave behind. */
async function expectNothingOf(site: Site, username: string): Promise<void> {
  const { containers } = await site.connection.succeed("list-containers", {});
  expect(containers.map((container) => container.username)).not.toContain(username);
  expect(await site.unclaimed()).toEqual([]);
  expect(await site.slotDirectories()).toHaveLength(containers.length);
}

describe.concurrent("a create is refused", () => {
  test("with CONFLICT where a stranger's container holds its name, which stays as it was", async () => {
    await using site = await Site.open();
    const request = asking("ada");
    const name = `dockhost-${request.username}`;
    const foreign = await docker("create", "--name", name, "--label", `dockhost.test=${name}`, "dockhost/instance");
    try {
      const before = await docker("inspect", foreign);
      const refused = await site.connection.refusal("create-container", "CONFLICT", request);
      expect(refused.message).toContain(name);
      await expectNothingOf(site, request.username);
      expect(await site.connection.succeed("list-containers", { username: request.username })).toEqual({
        containers: [],
      });
      for (const command of ["start-container", "stop-container"] as const) {
        await site.connection.refusal(command, "NOT_FOUND", { username: request.username });
      }
      expect(await site.connection.succeed("delete-container", { username: request.username })).toMatchObject({
        existed: false,
      });
      expect(await docker("inspect", foreign)).toBe(before);
    } finally {
      await docker("rm", "--force", foreign);
    }
  });

  test("with CAPACITY at DOCKHOST_MAX_CONTAINERS, stopped ones counted, until one is deleted", async () => {
    await using site = await Site.open({ environment: { DOCKHOST_MAX_CONTAINERS: "1" } });
    const first = asking("bea");
    await site.connection.succeed("create-container", first);
    await site.connection.succeed("stop-container", { username: first.username });
    const second = asking("bea");
    const refused = await site.connection.refusal("create-container", "CAPACITY", second);
    expect(refused).toMatchObject({ data: null, error: { retryable: true } });
    expect(refused.message).toContain("DOCKHOST_MAX_CONTAINERS");
    await site.connection.succeed("delete-container", { username: first.username });
    await site.connection.succeed("create-container", second);
  });

  test("with CAPACITY also where the creates come all at once", async () => {
    await using site = await Site.open({ environment: { DOCKHOST_MAX_CONTAINERS: "2" } });
    const replies = await Promise.all(
      [1, 2, 3, 4, 5].map(() => site.connection.reply("create-container", asking("cid"))),
    );
    expect(replies.filter(({ success }) => success)).toHaveLength(2);
    expect((await site.connection.succeed("list-containers", {})).containers).toHaveLength(2);
  });

  test("with NO_FREE_PORTS where the range holds no triple more", async () => {
    await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: await freePortRange(5) } });
    await site.connection.succeed("create-container", asking("dan"));
    const request = asking("dan");
    const refused = await site.connection.refusal("create-container", "NO_FREE_PORTS", request);
    expect(refused.error.retryable).toBe(true);
    await expectNothingOf(site, request.username);
  });

  test("with DRAINING from set-draining on, over a restart, until it is taken back; the rest is served", async () => {
    await using site = await Site.open();
    const { username } = await site.connection.succeed("create-container", asking("eli"));
    const draining = { draining: true };
    expect(await site.connection.succeed("set-draining", draining)).toEqual(draining);
    const refused = await site.connection.refusal("create-container", "DRAINING", asking("eli"));
    expect(refused.error.retryable).toBe(true);

    const connection = await site.restart("SIGKILL");
    expect(await connection.said.report("backend-status")).toMatchObject({ draining: true });
    await connection.refusal("create-container", "DRAINING", asking("eli"));
    await connection.succeed("stop-container", { username });
    await connection.succeed("start-container", { username });
    await connection.succeed("set-draining", { draining: false });
    await connection.succeed("create-container", asking("eli"));
  });

  test("with START_FAILED and its last words where its image's command ends", async () => {
    const image = await images.build('ENTRYPOINT ["/bin/sh", "-c", "echo no such thing as luck; exit 3"]');
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `ends=${image}` } });
    const request = asking("fay", { image: "ends" });
    const refused = await site.connection.refusal("create-container", "START_FAILED", request);
    expect(refused.message).toContain("no such thing as luck");
    expect(refused.message).toContain("exit code 3");
    await expectNothingOf(site, request.username);
    record({
      fault: "container dies on start, or its sshd stays silent",
      test: "START_FAILED where the image's command ends",
      runs: 1,
    });
  });

  test("with START_FAILED where its image's command does not exist", async () => {
    const image = await images.build('ENTRYPOINT ["/no/such/program"]');
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `none=${image}` } });
    const request = asking("gil", { image: "none" });
    const refused = await site.connection.refusal("create-container", "START_FAILED", request);
    expect(refused.message).toContain("/no/such/program");
    await expectNothingOf(site, request.username);
    record({
      fault: "container dies on start, or its sshd stays silent",
      test: "START_FAILED where the image's command does not exist",
      runs: 1,
    });
  });

  test("with SSH_NOT_READY where no SSH server answers in its container", async () => {
    const image = await images.build('ENTRYPOINT ["sleep", "600"]');
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `silent=${image}` } });
    const request = asking("hal", { image: "silent" });
    const refused = await site.connection.refusal("create-container", "SSH_NOT_READY", request);
    expect(refused).toMatchObject({ data: null, error: { retryable: true } });
    await expectNothingOf(site, request.username);
    record({
      fault: "container dies on start, or its sshd stays silent",
      test: "SSH_NOT_READY where no SSH server answers",
      runs: 1,
    });
  });

  test("with IMAGE_UNAVAILABLE where its image is not to be had", async () => {
    const images = "gone=127.0.0.1:1/dockhost-test/gone:1";
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: images } });
    const request = asking("ida", { image: "gone" });
    const refused = await site.connection.refusal("create-container", "IMAGE_UNAVAILABLE", request);
    expect(refused.message).toContain("127.0.0.1:1/dockhost-test/gone:1");
    await expectNothingOf(site, request.username);
    record({
      fault: "image missing and not to be had",
      test: "IMAGE_UNAVAILABLE where the image is not to be had",
      runs: 1,
    });
  });
});

describe.concurrent("a stopped container", () => {
  test("whose port was taken and that cannot move meets PORT_CONFLICT, which names port and holder, and starts once it is free", async () => {
    await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: await freePortRange(3) } });
    const { username, ports } = await site.connection.succeed("create-container", asking("joe"));
    await site.connection.succeed("stop-container", { username });
    {
      await using listener = await hold(ports.http);
      const refused = await site.connection.refusal("start-container", "PORT_CONFLICT", { username });
      expect(refused.message).toContain("Port already in use");
      expect(refused.message).toContain(String(listener.port));
      expect(refused.message).toContain(`pid ${process.pid}`);
      expect(refused.message).toContain("No three consecutive ports are free");
      expect(refused).toMatchObject({ data: null, error: { retryable: true } });
      const { containers } = await site.connection.succeed("list-containers", { username });
      expect(containers).toMatchObject([{ state: "stopped", ports }]);
    }
    expect(await site.connection.succeed("start-container", { username })).toMatchObject({ state: "running", ports });
    record({
      fault: "port taken while its container was stopped",
      test: "PORT_CONFLICT where it cannot move",
      runs: 1,
    });
  });

  test("of an image without a key directory keeps its keys: set-ssh-keys is CONFLICT and says why", async () => {
    const image = await images.build("LABEL dockhost.keys=");
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `fixed=${image}` } });
    const container = await site.connection.succeed("create-container", asking("kim", { image: "fixed" }));
    expect(await person.login(container, key)).toMatchObject({ code: 0 });
    const request = { username: container.username, sshPublicKeys: [key.publicKey] };
    const refused = await site.connection.refusal("set-ssh-keys", "CONFLICT", request);
    expect(refused.message).toMatch(/image/);
  });
});

describe.concurrent("an Engine that is away", () => {
  test("means ENGINE_UNAVAILABLE at once, and a backend-status that says so", async () => {
    await using site = await Site.prepare({ environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" } });
    const backend = site.start();
    const connection = await site.server.connection();
    expect(await connection.said.report("backend-status")).toMatchObject({
      docker: { reachable: false, version: null },
    });
    await backend.wrote("Docker is not reachable");
    const begin = performance.now();
    const request = asking("lea");
    await connection.refusal("create-container", "ENGINE_UNAVAILABLE", request);
    for (const command of ["start-container", "stop-container", "delete-container"] as const) {
      await connection.refusal(command, "ENGINE_UNAVAILABLE", { username: request.username });
    }
    const refused = await connection.refusal("list-containers", "ENGINE_UNAVAILABLE", {});
    expect(refused).toMatchObject({ data: null, error: { retryable: true } });
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect((await backend.end()).code).toBe(0);
  });

  test("and comes back is followed: refused meanwhile, then containers, ports and ssh as they were", async () => {
    await using site = await Site.prepare();
    const socket = join(site.dataDirectory, "engine.sock");
    await using engine = await FaultProxy.open(socket, "/var/run/docker.sock");
    const connection = await site.ready(site.start({ DOCKER_HOST: `unix://${socket}` }));
    const request = asking("max", { operationId: randomUUID() });
    const container = await connection.succeed("create-container", request);

    await engine.vanish();
    await connection.said.report("backend-status", ({ docker }) => !docker.reachable, 4_000);
    await connection.refusal("list-containers", "ENGINE_UNAVAILABLE", {});
    await connection.refusal("create-container", "ENGINE_UNAVAILABLE", asking("max"));
    expect(await person.login(container, key)).toMatchObject({ code: 0 });

    const before = connection.said.reports("inventory").length;
    await engine.appear();
    await vi.waitUntil(() => connection.said.reports("inventory").length > before, { timeout: 20_000 });
    expect(connection.said.reports("inventory").at(-1)).toEqual({ containers: [container] });
    expect(await connection.succeed("create-container", request)).toEqual(container);
    await connection.succeed("create-container", asking("max"));
  });

  test("and hangs means DEADLINE_EXCEEDED, while the heartbeat goes on, and no lock is held when it wakes", async () => {
    await using site = await Site.prepare();
    const socket = join(site.dataDirectory, "engine.sock");
    await using engine = await FaultProxy.open(socket, "/var/run/docker.sock");
    const connection = await site.ready(site.start({ DOCKER_HOST: `unix://${socket}` }));
    const { username } = await connection.succeed("create-container", asking("nan"));
    engine.faults = { held: "both" };
    const begin = performance.now();
    const refused = await connection.refusal("list-containers", "DEADLINE_EXCEEDED", {});
    expect(refused.error.retryable).toBe(true);
    expect(performance.now() - begin).toBeLessThan(9_000);
    const stop = connection.reply("stop-container", { username });
    engine.faults = {};
    expect(await stop).toMatchObject({ success: true, data: { state: "stopped" } });
    await connection.succeed("create-container", asking("nan"));
  });
});

test("ports of the default range are given from 1024 upward in steps of three", async () => {
  await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: "1024-32767" } });
  const { ports } = await site.connection.succeed("create-container", asking("odo"));
  expect(ports.ssh % 3).toBe(1024 % 3);
  expect(ports.ssh).toBeGreaterThanOrEqual(1024);
});

test("a flood of commands is RATE_LIMITED beyond the burst of two hundred, and a new connection begins anew", async () => {
  await using site = await Site.open();
  const calm = { draining: false };
  const flood = Array.from({ length: 400 }, () => site.connection.reply("set-draining", calm));
  const failures = (await Promise.all(flood)).flatMap((reply) => (reply.success ? [] : [reply]));
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.length).toBeLessThanOrEqual(200);
  const limited = { data: null, error: { code: "RATE_LIMITED", retryable: true } };
  for (const failure of failures) expect(failure).toMatchObject(limited);
  const next = site.server.nextConnection();
  site.connection.socket.disconnect(true);
  await (await next).succeed("set-draining", calm);
});
