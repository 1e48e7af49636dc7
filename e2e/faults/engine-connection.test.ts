import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Reply } from "@dockhost/protocol";
import { FaultProxy } from "../support/fault-proxy.ts";
import { PrivateEngine } from "../support/private-engine.ts";
import { newUser, Site } from "../support/site.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { expectHealed } from "./healed.ts";
import { record } from "./ledger.ts";
import { Tenant } from "./tenant.ts";

let machine: PrivateEngine;
let person: SshUser;
let key: KeyPair;
let folder: string;
/** Between the backend and its Engine. */
let engine: FaultProxy;

beforeAll(async () => {
  machine = await PrivateEngine.open();
  person = await SshUser.arrive(machine.address);
  key = await person.newKey("ada");
  folder = await mkdtemp(join(tmpdir(), "dockhost-faults-"));
  engine = await FaultProxy.open(join(folder, "engine.sock"), machine.socketPath);
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  await person[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});

const openSite = () => Site.open({ machine, environment: { DOCKER_HOST: `unix://${join(folder, "engine.sock")}` } });

/** Waits until the backend has tried the Engine out, by a container of its own. */
const triedOut = (site: Site) =>
  site.connection.said.report("backend-status", ({ capacity }) => capacity.diskQuotaEnforced !== null);

const asking = (name: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
});

const operation = ({ username }: { username: string }) => ({ username, operationId: randomUUID() });

const container = (call: string) => new RegExp(`^POST /containers/[0-9a-f]{64}/${call}`);

describe("a reply of Docker that is lost", () => {
  /** Sends the operation while one reply is lost, and once more; both are answered, and the second is a success. */
  async function send(lostReply: RegExp, operation: () => Promise<Reply<"create-container" | "delete-container">>) {
    const lost = engine.loseReply(lostReply);
    const first = await operation();
    await lost;
    if (!first.success) expect(first.error.retryable).toBe(true);
    expect(await operation()).toMatchObject({ success: true });
  }

  // But for the containers by which a backend tries its Engine out.
  const CREATE = /^POST \/containers\/create\?name=dockhost\.slot\.(?!probe)/;

  test("(network) leaves one network of DockHost's, and a create that succeeds", async () => {
    await using site = await openSite();
    await machine.docker("network", "rm", "dockhost").catch(() => "there was none yet");
    const request = asking("ada");
    await send(/^POST \/networks\/create/, () => site.connection.reply("create-container", request));
    expect(await machine.docker("network", "ls", "--filter", "name=^dockhost$", "--format", "{{.Name}}")).toBe(
      "dockhost",
    );
    await expectHealed(site, { [request.username]: "running" });
    record({ fault: "a reply of Docker is lost", runs: 1 });
  });

  test.each([
    ["create", CREATE],
    ["start", container("start")],
    ["rename", container("rename")],
  ])("(%s) leaves a create whose retry finds one container", async (_, lostReply) => {
    await using site = await openSite();
    await triedOut(site);
    const request = asking("ada");
    await send(lostReply, () => site.connection.reply("create-container", request));
    await expectHealed(site, { [request.username]: "running" });
    record({ fault: "a reply of Docker is lost", runs: 1 });
  });

  test("(start, stop, remove) leaves the command done once, by its retry at the latest", async () => {
    await using site = await openSite();
    const [ada, bob] = [await Tenant.settle(site, person, "ada"), await Tenant.settle(site, person, "bob")];
    const [stop, start, removal] = [operation(ada), operation(ada), operation(bob)];
    await send(container("stop"), () => site.connection.reply("stop-container", stop));
    await ada.expectAsBefore(site, "stopped");
    await send(container("start"), () => site.connection.reply("start-container", start));
    await ada.expectAsBefore(site, "running");
    await send(/^DELETE \/containers\//, () => site.connection.reply("delete-container", removal));
    await expectHealed(site, { [ada.username]: "running" });
    record({ fault: "a reply of Docker is lost", runs: 3 });
  });

  test("(commit, create, rename) leaves a container that moves to other ports with its files, and no copy of it", async () => {
    await using site = await openSite();
    for (const lostReply of [/^POST \/commit/, CREATE, container("rename")]) {
      const ada = await Tenant.settle(site, person, "ada");
      await ada.stop(site);
      const holder = newUser("holder");
      const port = `${ada.container.ports.http}:80`;
      await machine.docker("run", "--detach", "--name", holder, "--publish", port, "dockhost/instance:latest");
      const start = operation(ada);
      await send(lostReply, () => site.connection.reply("start-container", start));
      await ada.expectMoved(site);
      await machine.docker("rm", "--force", holder);
      await expectHealed(site, { [ada.username]: "running" });
      await site.connection.succeed("delete-container", operation(ada));
    }
    await expectHealed(site, {});
    record({ fault: "a reply of Docker is lost", runs: 3 });
  });
});

describe("Docker's event stream that breaks", () => {
  const inventories = (site: Site) => site.connection.said.reports("inventory").length;

  test("is subscribed anew, the whole is listed and told, and later happenings are heard", async () => {
    await using site = await openSite();
    const ada = await Tenant.settle(site, person, "ada");
    const { said } = site.connection;
    for (let times = 1; times <= 2; times += 1) {
      const before = inventories(site);
      engine.cut(/^GET \/events/);
      await vi.waitUntil(() => inventories(site) > before, { timeout: 10_000 });
      await ada.expectAsBefore(site, "running");
    }
    await machine.docker("stop", ada.container.containerId);
    await said.report("container-changed", ({ cause }) => cause.kind === "stopped-by-hand");
    await ada.expectAsBefore(site, "stopped");
    record({ fault: "Docker's event stream breaks", runs: 2 });
  });

  test("while things happen by hand hides none of them", async () => {
    await using site = await openSite();
    const [ada, bob] = [await Tenant.settle(site, person, "ada"), await Tenant.settle(site, person, "bob")];
    const before = inventories(site);
    await engine.vanish();
    await machine.docker("rm", "--force", ada.container.containerId);
    await machine.docker("restart", bob.container.containerId);
    await engine.appear();
    await vi.waitUntil(() => inventories(site) > before, { timeout: 20_000 });
    const { containers } = site.connection.said.reports("inventory").at(-1) ?? { containers: [] };
    expect(containers.map(({ username }) => username)).toEqual([bob.username]);
    await bob.expectAsBefore(site, "running");
    await expectHealed(site, { [bob.username]: "running" });
    // What it held is free again, its name and its ports among them.
    const request = { ...asking("ada"), username: ada.username };
    expect(await site.connection.succeed("create-container", request)).toMatchObject({ ports: ada.container.ports });
    record({ fault: "Docker's event stream breaks", runs: 1 });
  });
});
