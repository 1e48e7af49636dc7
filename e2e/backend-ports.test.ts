import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { createAgent, type AgentOverrides } from "../backend/src/agent.ts";
import { readConfig } from "../backend/src/config.ts";
import { createLog } from "../backend/src/observe/log.ts";
import { record } from "./faults/ledger.ts";
import { docker } from "./support/docker-cli.ts";
import { firstOf, freePortRange, hold } from "./support/ports.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

const asking = (username = newUser("ada")) => ({ username, sshPublicKey: key.publicKey });

const triple = (base: number) => ({ ssh: base, http: base + 1, https: base + 2 });

async function createdAt(site: Site, username?: string) {
  return (await site.connection.succeed("create-container", asking(username))).ports;
}

test("ports are given from the first upward in steps of three, past every triple of which one is taken", async () => {
  const range = await freePortRange(30);
  const first = firstOf(range);
  await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: range } });
  const middle = await hold(first + 4);
  expect(await createdAt(site)).toEqual(triple(first));
  expect(await createdAt(site)).toEqual(triple(first + 6));
  await middle[Symbol.asyncDispose]();
  expect(await createdAt(site)).toEqual(triple(first + 3));

  await using last = await hold(first + 11);
  expect(await createdAt(site)).toEqual(triple(first + 12));
  expect(last.port).toBe(first + 11);
});

test("a stopped container keeps its triple, also over a restart, and a deleted one gives it back", async () => {
  const range = await freePortRange(12);
  const first = firstOf(range);
  await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: range } });
  const [ada, bob] = [newUser("ada"), newUser("bob")];
  expect(await createdAt(site, ada)).toEqual(triple(first));
  await site.connection.succeed("stop-container", { username: ada });
  expect(await createdAt(site, bob)).toEqual(triple(first + 3));
  await site.connection.succeed("stop-container", { username: bob });

  await site.restart("SIGKILL");
  expect(await createdAt(site)).toEqual(triple(first + 6));
  await site.connection.succeed("delete-container", { username: bob });
  expect(await createdAt(site)).toEqual(triple(first + 3));
  expect(await site.connection.succeed("start-container", { username: ada })).toMatchObject({ ports: triple(first) });
});

test("creates at once get triples that are disjoint and lowest", async () => {
  const range = await freePortRange(30);
  const first = firstOf(range);
  await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: range } });
  const bases = (await Promise.all(Array.from({ length: 6 }, () => createdAt(site)))).map(({ ssh }) => ssh);
  expect(bases.sort((one, other) => one - other)).toEqual([0, 3, 6, 9, 12, 15].map((step) => first + step));
});

test("two backends on one Engine and one range never give the same triple", async () => {
  const environment = { DOCKHOST_PORT_RANGE: await freePortRange(30) };
  await using one = await Site.open({ environment });
  await using other = await Site.open({ environment });
  await one.connection.succeed("create-container", asking());
  const stopped = asking();
  await other.connection.succeed("create-container", stopped);
  await other.connection.succeed("stop-container", { username: stopped.username });
  await Promise.all([one, other, one, other].map((site) => createdAt(site)));
  const all = await Promise.all([one, other].map((site) => site.connection.succeed("list-containers", {})));
  const bases = all.flatMap(({ containers }) => containers.map(({ ports }) => ports.ssh));
  expect(bases).toHaveLength(6);
  expect(new Set(bases).size).toBe(6);
  record({ fault: "two backends on one Engine, or a copy made by hand", runs: 1 });
});

test("a stopped container whose port another process has taken starts at other ports, with its files, keys and host key", async () => {
  const range = await freePortRange(12);
  const first = firstOf(range);
  await using site = await Site.open({ environment: { DOCKHOST_PORT_RANGE: range } });
  const laterKey = await person.newKey("later");
  const before = await site.connection.succeed("create-container", asking());
  const { username } = before;
  const leave = "echo mine > ~/note && chmod 600 ~/note && install -m 4755 /bin/true /usr/local/bin/raised && sync";
  expect(await person.login(before, key, leave)).toMatchObject({ code: 0 });
  await site.connection.succeed("set-ssh-keys", { username, sshPublicKeys: [laterKey.publicKey] });
  await site.connection.succeed("stop-container", { username });

  const look = "cat ~/note && stat -c %a ~/note /usr/local/bin/raised";
  const found = { code: 0, stdout: "mine\n600\n4755\n" };
  const images: string[] = [];
  for (const [taken, base] of [
    [first + 1, first + 3],
    [first + 5, first],
  ] as const) {
    await using thief = await hold(taken);
    const after = await site.connection.succeed("start-container", { username });
    expect(after).toMatchObject({ username, ports: triple(base), ssh: before.ssh, image: before.image });
    expect(await person.login(after, laterKey, look)).toMatchObject(found);
    expect(await person.login(after, key)).not.toMatchObject({ code: 0 });
    const changed = await site.connection.said.report("container-changed", ({ container }) => isAt(container, base));
    expect(changed).toMatchObject({ container: { username, ports: triple(base) }, cause: { kind: "started" } });
    expect(await site.containerNames()).toEqual([`dockhost-${username}`]);
    expect(await site.slotDirectories()).toHaveLength(1);
    images.push(await imageOf(after));
    expect(await present(images)).toEqual(images.slice(-1));
    await site.connection.succeed("stop-container", { username });
    expect(thief.port).toBe(taken);
  }
  const last = await site.connection.succeed("start-container", { username });
  expect(last.ports).toEqual(triple(first));
  await site.connection.succeed("delete-container", { username });
  expect(await present(images)).toEqual([]);
  record({ fault: "port taken while its container was stopped", runs: 1 });
});

const isAt = ({ ports }: Container, base: number): boolean => ports.ssh === base;

const imageOf = ({ containerId }: Container): Promise<string> =>
  docker("container", "inspect", "--format", "{{.Config.Image}}", containerId);

/** Those of `images` that the Engine has. */
async function present(images: readonly string[]): Promise<string[]> {
  const all = await docker("images", "--format", "{{.Repository}}:{{.Tag}}");
  return images.filter((image) => all.split("\n").includes(image));
}

/** A backend in this process, with one part replaced. */
async function openWith(overrides: AgentOverrides, range: string) {
  const site = await Site.prepare({ environment: { DOCKHOST_PORT_RANGE: range } });
  const lines: string[] = [];
  const log = createLog({ format: "json", level: "info", destination: { write: (line) => lines.push(line) } });
  const config = readConfig(site.environment, { cwd: tmpdir() });
  const agent = await createAgent(config, log, overrides);
  await agent.ready;
  return {
    site,
    lines,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

test("a port that is taken between check and start means the next triple", async () => {
  const range = await freePortRange(12);
  const first = firstOf(range);
  await using https = await hold(first + 2);
  await using ssh = await hold(first + 3);
  await using opened = await openWith({ portProbe: () => Promise.resolve(true) }, range);
  const container = await opened.site.connection.succeed("create-container", asking());
  expect(container.ports).toEqual(triple(first + 6));
  expect(await person.login(container, key)).toMatchObject({ code: 0 });
  expect(opened.lines.filter((line) => line.includes("Port already in use"))).toHaveLength(2);
  expect(opened.lines.join("")).toContain(String(https.port));
  expect(opened.lines.join("")).toContain(String(ssh.port));
  expect(await opened.site.containerNames()).toEqual([`dockhost-${container.username}`]);
  expect(await opened.site.slotDirectories()).toHaveLength(1);
  record({ fault: "port taken between check and bind", runs: 2 });
});

test("where every triple is taken between check and start, nothing remains and the reply names a port", async () => {
  const range = await freePortRange(3);
  await using taken = await hold(firstOf(range) + 1);
  await using opened = await openWith({ portProbe: () => Promise.resolve(true) }, range);
  const refused = await opened.site.connection.refusal("create-container", "NO_FREE_PORTS", asking());
  expect(refused.error.retryable).toBe(true);
  expect(opened.lines.join("")).toContain(String(taken.port));
  expect(await opened.site.unclaimed()).toEqual([]);
  expect(await opened.site.slotDirectories()).toEqual([]);
  record({ fault: "port taken between check and bind", runs: 1 });
});
