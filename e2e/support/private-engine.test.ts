import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, outcome } from "./docker-cli.ts";
import { PrivateEngine } from "./private-engine.ts";

const NAME = `dockhost-test-${process.pid}`;
const SSH_PORT = 1024;

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.open();
  const policy = ["--restart", "unless-stopped", "--publish", `${SSH_PORT}:22`];
  await engine.docker("run", "--detach", "--name", NAME, ...policy, "dockhost/instance:latest");
});
afterAll(() => engine[Symbol.asyncDispose]());

async function hostKey(): Promise<string> {
  const args = ["-T", "2", "-t", "ed25519", "-p", String(SSH_PORT), engine.address];
  return (await outcome("ssh-keyscan", args)).stdout;
}

const answersSsh = () => expect.poll(hostKey).toContain("ssh-ed25519");

const state = () => engine.docker("inspect", "--format", "{{.State.Status}}", NAME);

test("is an Engine apart: its ports are reached at its own address, its containers are on no other", async () => {
  await answersSsh();
  expect(await docker("ps", "--all", "--format", "{{.Names}}")).not.toContain(NAME);
});

test("stops and starts with what it holds", async () => {
  await engine.stop();
  expect(await engine.answers()).toBe(false);
  expect(await hostKey()).toBe("");
  await engine.start();
  await answersSsh();
});

test("is killed while its containers go on, and starts again", async () => {
  await engine.kill();
  expect(await engine.answers()).toBe(false);
  await answersSsh();
  expect(await engine.answers()).toBe(false);
  await engine.start();
  // Which of them it says, is chance with Engine 20.10, in spite of `unless-stopped`.
  expect(await state()).toMatch(/running|exited/);
  await engine.docker("start", NAME);
  await answersSsh();
});

test("is frozen and thawed, and its containers notice neither", async () => {
  await engine.freeze();
  expect(await engine.answers()).toBe(false);
  await answersSsh();
  await engine.thaw();
  await expect.poll(() => engine.answers()).toBe(true);
});

test("loses its power, frozen or not, and with it everything that ran", async () => {
  await engine.freeze();
  await engine.losePower();
  expect(await processesOf(engine.namespace.name)).toEqual([]);
  expect(await hostKey()).toBe("");
  await engine.start();
  expect(await state()).toMatch(/running|exited/);
});

test("leaves nothing", async () => {
  const brief = await PrivateEngine.open({ loadImage: false });
  const { name } = brief.namespace;
  const folder = dirname(brief.socketPath);
  await brief[Symbol.asyncDispose]();
  expect(await mentioning(folder, name)).toEqual([]);
});

test("ends with the process that opened it, however that ends, and the next one removes what is left", async () => {
  const module = new URL("private-engine.ts", import.meta.url).href;
  const open = `const { PrivateEngine } = await import("${module}");
    const { url, namespace } = await PrivateEngine.open({ loadImage: false });
    console.log(JSON.stringify([url.slice("unix://".length, -"/docker.sock".length), namespace.name]));
    setInterval(() => undefined, 1_000);`;
  const owner = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", open], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(owner.stdout, "data")) as [Buffer];
  const [folder, name] = JSON.parse(line.toString()) as [string, string];
  expect((await mentioning(folder, name)).length).toBeGreaterThan(2);
  owner.kill("SIGKILL");
  await expect.poll(() => processesOf(name)).toEqual([]);
  await using next = await PrivateEngine.open({ loadImage: false });
  expect(await next.answers()).toBe(true);
  expect(await mentioning(folder, name)).toEqual([]);
});

/** Whatever of an Engine there is still: processes, namespace, cgroups, mounts, folder. */
async function mentioning(folder: string, namespace: string): Promise<string[]> {
  const id = folder.slice(tmpdir().length + 1);
  const cgroups = (await readdir("/sys/fs/cgroup")).map((name) => `/sys/fs/cgroup/${name}/${id}`);
  const paths = [folder, `/run/netns/${namespace}`, ...cgroups];
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").filter((line) => line.includes(id));
  return [...paths.filter((_, index) => there[index]), ...mounts, ...(await processesOf(namespace))];
}

async function processesOf(namespace: string): Promise<string[]> {
  const { stdout } = await outcome("ip", ["netns", "pids", namespace]);
  return stdout.split("\n").filter((line) => line !== "");
}
