import { randomBytes, randomUUID } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Container } from "@dockhost/protocol";
import { record } from "./faults/ledger.ts";
import { backendId } from "./support/cleanup.ts";
import { docker } from "./support/docker-cli.ts";
import { inspect } from "./support/engine-api.ts";
import { isSoak, rounds } from "./support/rounds.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

const IMAGE = "dockhost/instance:latest";

/** How often is killed, and the moments over which the kills are spread, ms. */
const CREATES = rounds(2, 14);
const LONGEST_CREATE_MS = 600;
const DELETES = rounds(2, 5);
const LONGEST_DELETE_MS = 150;
/** How long after the creates a SIGTERM comes, ms. */
const MOMENTS_MS = isSoak ? [0, 60, 150, 400] : [60, 400];

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

const asking = (name: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
});

/** Sends a command whose reply may never come. */
function send(site: Site, command: string, request: object): void {
  site.connection.socket.emit(command, request);
}

/** As many containers and slot directories as there are users, and not one more. */
async function expectOnly(site: Site, usernames: readonly string[]): Promise<void> {
  const names = usernames.map((username) => `dockhost-${username}`).sort();
  await vi.waitFor(
    async () => {
      expect((await site.containerNames()).sort()).toEqual(names);
      expect(await site.slotDirectories()).toHaveLength(names.length);
    },
    { timeout: 90_000, interval: 500 },
  );
}

async function expectNothingHalfMade(site: Site): Promise<void> {
  expect(await site.unclaimed()).toEqual([]);
  expect(await site.slotDirectories()).toHaveLength((await site.containerNames()).length);
}

const slotOf = async ({ containerId }: Container): Promise<string> =>
  (await inspect(containerId)).Config.Labels["dockhost.slot"] ?? "";

test("SIGKILL at any moment of a create, then the same operation again, gives exactly one working container", async () => {
  await using site = await Site.open();
  const requests = [];
  for (let round = 0; round < CREATES; round += 1) {
    const request = asking("ada");
    const killAfterMs = Math.round((round + Math.random()) * (LONGEST_CREATE_MS / CREATES));
    const moment = `killed ${killAfterMs} ms after the command`;
    requests.push(request);
    send(site, "create-container", request);
    await delay(killAfterMs);
    const connection = await site.restart("SIGKILL");
    const container = await connection.succeed("create-container", request);
    expect(container, moment).toMatchObject({ username: request.username, state: "running", ssh: { user: "root" } });
    expect(await person.login(container, key), moment).toMatchObject({ code: 0, stdout: "root\n" });
    expect(await connection.succeed("create-container", request), moment).toEqual(container);
  }
  await expectOnly(
    site,
    requests.map(({ username }) => username),
  );
  const { containers } = await site.connection.succeed("list-containers", {});
  expect(new Set(containers.map(({ ports }) => ports.ssh)).size).toBe(requests.length);
  expect(containers.map(({ state }) => state)).toEqual(requests.map(() => "running"));
  record({ fault: "backend killed (SIGKILL) at any step of a command", runs: CREATES });
});

test("SIGKILL at any moment of a delete leaves nothing of it, and the same operation again is a success", async () => {
  await using site = await Site.open();
  for (let round = 0; round < DELETES; round += 1) {
    const { username, sshPublicKey } = asking("bob");
    await site.connection.succeed("create-container", { username, sshPublicKey });
    const removal = { username, operationId: randomUUID() };
    send(site, "delete-container", removal);
    await delay((round + Math.random()) * (LONGEST_DELETE_MS / DELETES));
    const connection = await site.restart("SIGKILL");
    await connection.succeed("delete-container", removal);
    expect(await connection.succeed("list-containers", {})).toEqual({ containers: [] });
  }
  await expectOnly(site, []);
  record({ fault: "backend killed (SIGKILL) at any step of a command", runs: DELETES });
});

describe("after a restart", () => {
  test("the retry of an operation that has finished executes nothing", async () => {
    await using site = await Site.open();
    const request = asking("cid");
    const container = await site.connection.succeed("create-container", request);
    const before = await inspect(container.containerId);
    const connection = await site.restart("SIGKILL");
    expect(await connection.succeed("create-container", request)).toEqual(container);
    const { Id, State } = await inspect(`dockhost-${request.username}`);
    expect([Id, State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);

    const removal = { username: request.username, operationId: randomUUID() };
    const deleted = await connection.succeed("delete-container", removal);
    const again = await site.restart("SIGKILL");
    expect(await again.succeed("delete-container", removal)).toEqual(deleted);
    await again.refusal("create-container", "NOT_FOUND", request);
    await again.refusal("create-container", "CONFLICT", { ...request, username: newUser("cid") });
  });

  test("what an operation left unnamed is removed; a copy made by hand and another backend's are left alone", async () => {
    await using site = await Site.open();
    await using other = await Site.open();
    const kept = await site.connection.succeed("create-container", asking("dan"));
    const id = (await backendId(site.dataDirectory)) ?? "";
    const otherId = (await backendId(other.dataDirectory)) ?? "";
    await Promise.all([site.backend.end("SIGKILL"), other.backend.end("SIGKILL")]);

    const unnamed = await slotContainer(id);
    await mkdir(join(site.dataDirectory, "slots", unnamed.slot, "keys"), { recursive: true });
    const bare = randomBytes(8).toString("hex");
    await mkdir(join(site.dataDirectory, "slots", bare, "keys"), { recursive: true });
    const foreign = await slotContainer(otherId);
    const copy = await copyByHand(kept);

    await site.ready(site.start());
    const names = await site.containerNames();
    expect(names.sort()).toEqual([copy.name, `dockhost-${kept.username}`].sort());
    expect(await site.slotDirectories()).toEqual([await slotOf(kept)]);
    expect((await inspect(copy.id)).State.Running).toBe(true);
    expect(await docker("inspect", "--format", "{{.Name}}", foreign.id)).toBe(`/dockhost.slot.${foreign.slot}`);
    expect(site.backend.output).toContain(copy.name);
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [kept] });
    await docker("rm", "--force", copy.id);
    record({ fault: "two backends on one Engine, or a copy made by hand", runs: 1 });
  });

  test("what Docker has lost of a container is ended with it; other containers' processes go on", async () => {
    await using site = await Site.open();
    const kept = await site.connection.succeed("create-container", asking("fay"));
    const id = (await backendId(site.dataDirectory)) ?? "";
    await site.backend.end("SIGKILL");
    const unnamed = await slotContainer(id);
    const foreign = await slotContainer(randomUUID());
    await using lost = await processIn(unnamed.id);
    await using shim = shimOf(unnamed.id);
    await using others = await processIn(foreign.id);

    await site.ready(site.start());
    expect(lost.isAlive()).toBe(false);
    expect(shim.isAlive()).toBe(false);
    expect(others.isAlive()).toBe(true);
    expect(await site.containerNames()).toEqual([`dockhost-${kept.username}`]);
    expect(await person.login(kept, key)).toMatchObject({ code: 0 });
    expect(site.backend.output).toContain("Ended what Docker had lost");
    await docker("rm", foreign.id);
  });

  test("a delete that had been begun is finished", async () => {
    await using site = await Site.open();
    const container = await site.connection.succeed("create-container", asking("eli"));
    const slot = await slotOf(container);
    await site.backend.end("SIGKILL");
    const path = join(site.dataDirectory, "slots", slot, "claim.json");
    const claim = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...claim, deleting: true }));
    const connection = await site.ready(site.start());
    expect(connection.said.reports("inventory").at(-1)).toEqual({ containers: [] });
    await expectOnly(site, []);
  });

  test("what should run runs, and what a command has stopped stays stopped", async () => {
    await using site = await Site.open();
    const [fay, gil] = await Promise.all(
      ["fay", "gil"].map((name) => site.connection.succeed("create-container", asking(name))),
    );
    if (!fay || !gil) throw new Error("two were made");
    await site.connection.succeed("stop-container", { username: gil.username });
    await site.backend.end("SIGKILL");
    await docker("stop", fay.containerId);
    const connection = await site.ready(site.start());
    const { containers } = await connection.succeed("list-containers", {});
    expect(containers).toHaveLength(2);
    expect(containers).toContainEqual(fay);
    expect(containers).toContainEqual(expect.objectContaining({ username: gil.username, state: "stopped" }));
    const { data } = { data: await connection.succeed("start-container", { username: fay.username }) };
    expect(await person.login(data, key)).toMatchObject({ code: 0 });
  });

  test("a container whose claim is lost is kept, and goes by its name", async () => {
    await using site = await Site.open();
    const { username, containerId, ports, ssh } = await site.connection.succeed("create-container", asking("hal"));
    const slot = await slotOf(await only(site));
    await site.backend.end("SIGKILL");
    await rm(join(site.dataDirectory, "slots", slot, "claim.json"));
    const connection = await site.ready(site.start());
    expect(await only(site)).toMatchObject({ username, containerId, ports, state: "running" });
    await connection.succeed("stop-container", { username });
    expect(await connection.succeed("start-container", { username })).toMatchObject({ state: "running", ports, ssh });
    const other = await person.newKey("hal-other");
    const changed = await connection.succeed("set-ssh-keys", { username, sshPublicKeys: [other.publicKey] });
    expect(await person.login(changed, other)).toMatchObject({ code: 0 });
  });
});

describe.concurrent("SIGTERM", () => {
  test("in the middle of creates ends in exit 0 within 10 s, nothing half made, containers running", async () => {
    await using site = await Site.open();
    const early = await site.connection.succeed("create-container", asking("ida"));
    for (const afterMs of MOMENTS_MS) {
      send(site, "create-container", asking("ida"));
      send(site, "create-container", asking("ida"));
      await delay(afterMs);
      const begin = performance.now();
      expect(await site.backend.end("SIGTERM")).toEqual({ code: 0, signal: null });
      expect(performance.now() - begin).toBeLessThan(10_000);
      // What a slow machine gave it no time to undo, its successor does.
      const hadTime = !site.backend.output.includes("did not finish in time");
      if (hadTime) await expectNothingHalfMade(site);
      expect((await inspect(early.containerId)).State.Running).toBe(true);
      await site.ready(site.start());
      if (!hadTime) await vi.waitFor(() => expectNothingHalfMade(site), { timeout: 90_000, interval: 500 });
    }
    const { containers } = await site.connection.succeed("list-containers", {});
    for (const container of containers) expect(container).toMatchObject({ state: "running", ssh: { user: "root" } });
    record({
      fault: "backend ended (SIGTERM) in the middle of an operation",
      test: "SIGTERM in the middle of creates",
      runs: MOMENTS_MS.length,
    });
  });

  test("rolls back what does not finish in time", async () => {
    await using images = new TestImages();
    const image = await images.build('ENTRYPOINT ["sleep", "600"]');
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `silent=${image}` } });
    const request = { ...asking("joe"), image: "silent" };
    send(site, "create-container", request);
    await site.connection.said.report("operation-progress", ({ phase }) => phase === "waiting-for-ssh");
    const begin = performance.now();
    expect(await site.backend.end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await site.containerNames()).toEqual([]);
    expect(await site.slotDirectories()).toEqual([]);
    record({
      fault: "backend ended (SIGTERM) in the middle of an operation",
      test: "SIGTERM rolls back what does not finish in time",
      runs: 1,
    });
  });
});

test("a second agent in the same data directory is refused in one sentence, and the first goes on", async () => {
  await using site = await Site.open();
  const first = site.backend;
  const second = site.start();
  expect(await second.ended).toEqual({ code: 1, signal: null });
  expect(second.log).toHaveLength(1);
  expect(second.log[0]?.msg).toMatch(/^Another backend works in .+\.$/);
  expect(second.stderr).toBe("");
  await site.connection.succeed("create-container", asking("kim"));
  expect((await first.end()).code).toBe(0);
});

async function only(site: Site): Promise<Container> {
  const { containers } = await site.connection.succeed("list-containers", {});
  const [container] = containers;
  if (!container || containers.length > 1) throw new Error(`not one: ${JSON.stringify(containers)}`);
  return container;
}

/** A slot of backend `id` as a create leaves it that was cut off. */
async function slotContainer(id: string): Promise<{ id: string; slot: string }> {
  const slot = randomBytes(8).toString("hex");
  const labels = { managed: "true", backend: id, slot, ports: "31000", spec: "0" };
  const options = Object.entries(labels).flatMap(([name, value]) => ["--label", `dockhost.${name}=${value}`]);
  return { id: await docker("create", "--name", `dockhost.slot.${slot}`, ...options, IMAGE), slot };
}

/** What `docker commit` and `docker run` make of a container: its labels, under another name. */
async function copyByHand({ containerId }: Container): Promise<{ id: string; name: string }> {
  const { Labels } = (await inspect(containerId)).Config;
  const options = Object.entries(Labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
  const name = newUser("copy-by-hand");
  return { id: await docker("run", "--detach", "--name", name, ...options, IMAGE), name };
}

/** A process that looks like what containerd keeps beside a container. */
function shimOf(containerId: string): AsyncDisposable & { isAlive: () => boolean } {
  const args = [
    "--eval",
    "setTimeout(() => 0, 120_000)",
    "--",
    "-namespace",
    "moby",
    "-id",
    containerId,
    "-address",
    "x",
  ];
  return stillLife(spawn(process.execPath, args, { argv0: "/usr/bin/containerd-shim-runc-v2" }));
}

/** A process in the control group that a container of that id has, though the Engine did not put it there. */
async function processIn(containerId: string): Promise<AsyncDisposable & { isAlive: () => boolean }> {
  const root = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
  const parent = join(root, newUser("dockhost-test"));
  const group = join(parent, containerId);
  await mkdir(group, { recursive: true });
  const child = spawn("sleep", ["120"]);
  await writeFile(join(group, "cgroup.procs"), String(child.pid));
  const life = stillLife(child);
  return {
    ...life,
    async [Symbol.asyncDispose]() {
      await life[Symbol.asyncDispose]();
      await rmdir(group);
      await rmdir(parent);
    },
  };
}

function stillLife(child: ChildProcess): AsyncDisposable & { isAlive: () => boolean } {
  const ended = once(child, "exit");
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
