import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Reply } from "@dockhost/protocol";
import { DockerEngine } from "../../backend/src/engine/docker-engine.ts";
import { PrivateEngine } from "../support/private-engine.ts";
import { rounds } from "../support/rounds.ts";
import { newUser, Site } from "../support/site.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { expectHealed } from "./healed.ts";
import { record } from "./ledger.ts";
import { Tenant } from "./tenant.ts";

const KILLS = rounds(1, 2);
const POWER_CUTS = rounds(1, 2);
const LONG_HANG_MS = rounds(15_000, 30_000);

let machine: PrivateEngine;
let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  machine = await PrivateEngine.open();
  person = await SshUser.arrive(machine.address);
  key = await person.newKey("ada");
});
afterAll(async () => {
  await person[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});

const asking = (name: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
});

const operation = ({ username }: { username: string }) => ({ username, operationId: randomUUID() });

/** Somebody who runs a container, and somebody who has stopped one. */
async function runningAndStopped(site: Site): Promise<[Tenant, Tenant]> {
  const tenants = await Promise.all(["ada", "bob"].map((name) => Tenant.settle(site, person, name)));
  const [running, stopped] = tenants as [Tenant, Tenant];
  await stopped.stop(site);
  return [running, stopped];
}

async function expectBothAsBefore(site: Site, [running, stopped]: readonly [Tenant, Tenant]): Promise<void> {
  await running.expectAsBefore(site, "running");
  await stopped.expectAsBefore(site, "stopped");
  await expectHealed(site, { [running.username]: "running", [stopped.username]: "stopped" });
}

/** A container that bears no label of ours, and what the Engine tells of it. */
async function stranger(): Promise<AsyncDisposable & { expectUntouched: () => Promise<void> }> {
  const name = newUser("stranger");
  await machine.docker("run", "--detach", "--restart", "unless-stopped", "--name", name, "dockhost/instance:latest");
  const look = () => machine.docker("inspect", "--format", "{{.Id}} {{.Name}} {{json .HostConfig}}", name);
  const before = await look();
  return {
    expectUntouched: async () => expect(await look()).toBe(before),
    async [Symbol.asyncDispose]() {
      await machine.docker("rm", "--force", name);
    },
  };
}

/** The next whole inventory that a backend tells after its Engine was away. */
async function resynced(site: Site, before: number): Promise<void> {
  const told = () => site.connection.said.reports("inventory").length > before;
  await vi.waitUntil(told, { timeout: 30_000, interval: 50 });
}

const inventories = (site: Site) => site.connection.said.reports("inventory").length;

describe("Docker that", () => {
  test("is started anew bears another id of its start, and one id until then: what was tried out before counts no more", async () => {
    const startId = async () => {
      const engine = new DockerEngine({ kind: "unix", socketPath: machine.socketPath });
      return (await engine.info()).startId;
    };
    const first = await startId();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await startId()).toBe(first);
    await machine.stop();
    await machine.start();
    const second = await startId();
    expect(second).not.toBe(first);
    await machine.kill();
    await machine.start();
    expect(await startId()).not.toBe(second);
  });

  test("restarts is re-listed; commands are refused at once meanwhile; containers, ports and files are as they were", async () => {
    await using site = await Site.open({ machine });
    await using foreign = await stranger();
    const tenants = await runningAndStopped(site);
    const before = inventories(site);

    await machine.stop();
    const request = asking("cid");
    const { connection } = site;
    await connection.said.report("backend-status", ({ docker }) => !docker.reachable);
    await connection.refusal("create-container", "ENGINE_UNAVAILABLE", request);
    for (const command of ["start-container", "stop-container", "delete-container"] as const) {
      await connection.refusal(command, "ENGINE_UNAVAILABLE", operation(tenants[0]));
    }
    await connection.refusal("list-containers", "ENGINE_UNAVAILABLE", {});

    await machine.start();
    await resynced(site, before);
    await expectBothAsBefore(site, tenants);
    await foreign.expectUntouched();
    expect(await connection.succeed("create-container", request)).toMatchObject({ state: "running" });
    record({ fault: "Docker daemon restarts", runs: 1 });
  });

  test("is killed runs again what ran, at the same ports, with the same files; what was stopped stays stopped", async () => {
    await using site = await Site.open({ machine });
    await using foreign = await stranger();
    const tenants = await runningAndStopped(site);
    for (let round = 0; round < KILLS; round += 1) {
      const before = inventories(site);
      await machine.kill();
      await machine.start();
      await resynced(site, before);
      await expectBothAsBefore(site, tenants);
    }
    await foreign.expectUntouched();
    record({ fault: "Docker daemon killed (SIGKILL), host loses power", runs: KILLS });
  });

  test("loses power with its whole host runs again what ran; an operation under way then is done once, by its retry", async () => {
    await using site = await Site.open({ machine });
    await using foreign = await stranger();
    const tenants = await runningAndStopped(site);
    const requests = Array.from({ length: POWER_CUTS }, () => asking("cid"));
    for (const request of requests) {
      site.connection.socket.emit("create-container", request);
      await delay(150 + Math.random() * 250);
      await Promise.all([machine.losePower(), site.backend.end("SIGKILL")]);
      await machine.start();
      const connection = await site.ready(site.start());
      expect(await connection.succeed("create-container", request)).toMatchObject({ state: "running" });
      await tenants[0].expectAsBefore(site, "running");
      await tenants[1].expectAsBefore(site, "stopped");
    }
    await expectHealed(site, {
      [tenants[0].username]: "running",
      [tenants[1].username]: "stopped",
      ...Object.fromEntries(requests.map(({ username }) => [username, "running"])),
    });
    await foreign.expectUntouched();
    record({ fault: "Docker daemon killed (SIGKILL), host loses power", runs: requests.length });
  });
});

describe("Docker that has left the directory of a start that was cut off", () => {
  test("starts that container all the same, be it by its user or after a power cut", async () => {
    await using site = await Site.open({ machine });
    const [running, stopped] = await runningAndStopped(site);

    await machine.leaveDirectory(stopped.container.containerId);
    await site.connection.succeed("start-container", operation(stopped));
    await stopped.expectAsBefore(site, "running");

    const before = inventories(site);
    await machine.losePower();
    await machine.leaveDirectory(running.container.containerId);
    await machine.start();
    await resynced(site, before);
    await running.expectAsBefore(site, "running");
    await expectHealed(site, { [running.username]: "running", [stopped.username]: "running" });
    record({ fault: "Docker daemon killed (SIGKILL), host loses power", runs: 1 });
  });
});

/** What five people ask for while Docker hangs, and what each is to have when it is over. */
async function hang(site: Site, forMs: number): Promise<Reply<"create-container" | "stop-container">[]> {
  const [ada, bob] = await runningAndStopped(site);
  const dan = await Tenant.settle(site, person, "dan");
  const create = asking("cid");
  const { connection } = site;
  const commands = [
    ["create-container", create],
    ["stop-container", operation(ada)],
    ["start-container", operation(bob)],
    ["delete-container", operation(dan)],
  ] as const;

  await machine.freeze();
  const replies = Promise.all(commands.map(([command, request]) => connection.reply(command, request)));
  // Nothing has been heard of that would make it untrue.
  const listed = await connection.succeed("list-containers", {});
  expect(listed.containers).toHaveLength(3);
  const beats = connection.said.reports("backend-status").length;
  await delay(forMs);
  expect(connection.said.reports("backend-status").length - beats).toBeGreaterThanOrEqual(Math.floor(forMs / 10_500));
  await machine.thaw();
  const told = await replies;

  for (const [command, request] of commands) {
    // Whatever the first one was told: the retry finds it done, or does it.
    await vi.waitFor(async () => expect((await connection.reply(command, request)).success).toBe(true), {
      timeout: 60_000,
      interval: 1_000,
    });
  }
  expect(site.server.connections).toHaveLength(1);
  await expectHealed(site, {
    [ada.username]: "stopped",
    [bob.username]: "running",
    [create.username]: "running",
  });
  await bob.expectAsBefore(site, "running");
  return told;
}

describe("Docker that hangs", () => {
  test("for a while costs nothing: lists go on, and every command under way succeeds when it wakes", async () => {
    await using site = await Site.open({ machine });
    const replies = await hang(site, 6_000);
    expect(replies.map(({ success }) => success)).toEqual([true, true, true, true]);
    record({ fault: "Docker daemon hangs", runs: 1 });
  });

  test("for long costs no connection; the heartbeat goes on, and each retry finds one container", async () => {
    await using site = await Site.open({ machine });
    const replies = await hang(site, LONG_HANG_MS);
    for (const reply of replies) if (!reply.success) expect(reply.error.retryable).toBe(true);
    record({ fault: "Docker daemon hangs", runs: 1 });
  });
});
