import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { docker } from "./support/docker-cli.ts";
import { inspect } from "./support/engine-api.ts";
import { rounds } from "./support/rounds.ts";
import { newUser, Site } from "./support/site.ts";
import { standing } from "./support/standing.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

const MIB = 1024 * 1024;
const USERS = rounds(5, 8);

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

const siteWith = async (warmPool: number, environment = {}): Promise<Site> => {
  const site = await Site.open({ environment: { DOCKHOST_WARM_POOL: String(warmPool), ...environment } });
  await standing(site, warmPool);
  return site;
};

const create = (site: Site, name: string, more: object = {}): Promise<Container> =>
  site.connection.succeed("create-container", { username: newUser(name), sshPublicKey: key.publicKey, ...more });

const idsOf = (names: readonly string[]): Promise<string[]> =>
  Promise.all(names.map((name) => inspect(name).then(({ Id }) => Id)));

describe("a container that was made ahead", () => {
  let site: Site;
  let ahead: string[];
  let ada: Container;
  let bob: Container;

  beforeAll(async () => {
    site = await siteWith(2);
    ahead = await idsOf(await site.unclaimed());
    [ada, bob] = await Promise.all([create(site, "ada"), create(site, "bob")]);
  });
  afterAll(() => site[Symbol.asyncDispose]());

  const says = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await person.login(ada, key, command);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };

  test("is the user's by its name, and lets in its key and no other", async () => {
    expect([ada.containerId, bob.containerId].sort()).toEqual([...ahead].sort());
    expect(await says("whoami")).toBe("root");
    const stranger = await person.newKey("stranger");
    expect(await person.login(ada, stranger)).not.toMatchObject({ code: 0 });
  });

  test("is a fresh machine: a host key and a machine id of its own, empty logs, nobody logged in before, the clock right", async () => {
    expect(ada.ssh?.hostKeyFingerprint).not.toBe(bob.ssh?.hostKeyFingerprint);
    expect(await says("cat /etc/machine-id")).not.toBe(
      (await person.login(bob, key, "cat /etc/machine-id")).stdout.trim(),
    );
    expect(
      await says("find /var/log -type f -size +0 ! -name '*.log' ! -path '*/apt/*' ! -name lastlog ! -name wtmp"),
    ).toBe("");
    expect(await says("ls -A ~ | grep -v -e '^.bashrc$' -e '^.profile$' -e '^.ssh$' -e '^.cache$' || true")).toBe("");
    expect(Math.abs(Number(await says("date +%s")) - Date.now() / 1000)).toBeLessThan(5);
  });

  test("shows nothing of having been made ahead but its hostname, the same that every instance has", async () => {
    expect(await says("hostname")).toBe("dockhost");
    expect(await says("env | grep -i -e slot -e spare -e warm || true")).toBe("");
    expect(await says("ls /etc/dockhost/keys")).toBe("authorized_keys");
  });

  test("stands as its user's in the inventory, created when it was claimed", async () => {
    const { containers } = await site.connection.succeed("list-containers", {});
    expect(containers.map(({ username }) => username).sort()).toEqual([ada.username, bob.username].sort());
    const { Created } = await inspect(ada.containerId);
    expect(Date.parse(ada.createdAt)).toBeGreaterThan(Date.parse(Created));
  });

  test("has the limits that the request asked for", async () => {
    await standing(site, 2);
    const [next] = await idsOf((await site.unclaimed()).slice(0, 1));
    const cid = await create(site, "cid", { limits: { memoryMiB: 128, cpus: 0.25, pids: 64 } });
    expect(await idsOf([`dockhost-${cid.username}`])).toEqual([cid.containerId]);
    const { HostConfig } = await inspect(cid.containerId);
    const limits = { Memory: 128 * MIB, MemorySwap: 128 * MIB, NanoCpus: 0.25e9, PidsLimit: 64 };
    expect(HostConfig).toMatchObject(limits);
    expect(next).toBeDefined();
    expect(await person.login(cid, key)).toMatchObject({ code: 0 });
  });
});

test(`${USERS} users who come at once on a pool of as many all log in, each to one of their own`, async () => {
  await using site = await siteWith(USERS);
  const ahead = await idsOf(await site.unclaimed());
  const created = await Promise.all(Array.from({ length: USERS }, (_, index) => create(site, `user${index}`)));
  expect(created.map(({ containerId }) => containerId).sort()).toEqual(ahead.sort());
  const logins = await Promise.all(created.map((container) => person.login(container, key)));
  expect(logins.map(({ code }) => code)).toEqual(created.map(() => 0));
});

test("once somebody has deleted theirs, what stands ready moves down there, and whoever comes next gets it", async () => {
  await using site = await siteWith(1);
  const ada = await create(site, "ada");
  await standing(site, 1);
  await site.connection.succeed("delete-container", { username: ada.username });
  const ahead = await idsOf(await standing(site, 1));
  const bob = await create(site, "bob");
  expect(bob.ports).toEqual(ada.ports);
  expect(ahead).toEqual([bob.containerId]);
});

test("what a killed backend kept ready its successor keeps; what one that ends kept is gone", async () => {
  await using site = await siteWith(2);
  const before = await idsOf(await site.unclaimed());
  await site.restart("SIGKILL");
  expect((await idsOf(await standing(site, 2))).sort()).toEqual(before.sort());
  const ada = await create(site, "ada");
  expect(before).toContain(ada.containerId);
  expect(await person.login(ada, key)).toMatchObject({ code: 0 });
  await standing(site, 2);
  await site.backend.end("SIGTERM");
  expect(await site.containerNames()).toEqual([`dockhost-${ada.username}`]);
  expect(await readdir(join(site.dataDirectory, "slots"))).toHaveLength(1);
});

test("a successor with other settings, or after the image was made anew, keeps none of the former's", async () => {
  await using images = new TestImages();
  const reference = await images.build("LABEL made=first");
  await using site = await siteWith(1, { DOCKHOST_IMAGE: reference });
  const [first] = await idsOf(await site.unclaimed());
  await site.restart("SIGKILL", { DOCKHOST_MEMORY: "256m" });
  await expect
    .poll(() =>
      site
        .unclaimed()
        .then(idsOf)
        .catch(() => [first]),
    )
    .not.toContain(first);
  const [second] = await idsOf(await standing(site, 1));
  const again = await images.build("LABEL made=second");
  await docker("tag", again, reference);
  const ada = await create(site, "ada");
  expect(ada.containerId).not.toBe(second);
  expect((await inspect(ada.containerId)).Config.Labels).toMatchObject({ made: "second" });
});

test("a backend that drains keeps none", async () => {
  await using site = await siteWith(1);
  await site.connection.succeed("set-draining", { draining: true });
  await standing(site, 0);
});
