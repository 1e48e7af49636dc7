import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { backendId } from "./support/cleanup.ts";
import { docker, outcome } from "./support/docker-cli.ts";
import { inspect, type Inspected } from "./support/engine-api.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

const MIB = 1024 * 1024;

let site: Site;
let person: SshUser;
let key: KeyPair;
let images: TestImages;
let ada: Container;
let bob: Container;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  images = new TestImages();
  const plain = await images.build("LABEL dockhost.keys=");
  site = await Site.open({ environment: { DOCKHOST_IMAGES: `plain=${plain}`, DOCKHOST_CPUS: "0.8" } });
  [ada, bob] = await Promise.all([create("ada"), create("bob")]);
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await images[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const create = (name: string, more: object = {}): Promise<Container> =>
  site.connection.succeed("create-container", { username: newUser(name), sshPublicKey: key.publicKey, ...more });

describe("a created container, as the Engine tells it", () => {
  let found: Inspected;

  beforeAll(async () => {
    found = await inspect(ada.containerId);
  });

  test("is named after its user and bears the labels of its backend", async () => {
    const { Name, Config } = found;
    expect(Name).toBe(`/dockhost-${ada.username}`);
    expect(Config.Labels).toMatchObject({
      "dockhost.managed": "true",
      "dockhost.backend": await backendId(site.dataDirectory),
      "dockhost.slot": expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
      "dockhost.ports": String(ada.ports.ssh),
      "dockhost.spec": expect.stringMatching(/^[0-9a-f]+$/) as unknown,
    });
  });

  test("has eleven capabilities and no privilege", () => {
    const { CapDrop, CapAdd, Privileged, SecurityOpt } = found.HostConfig;
    expect(CapDrop).toEqual(["ALL"]);
    const allowed =
      "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETFCAP NET_BIND_SERVICE SYS_CHROOT AUDIT_WRITE";
    expect([...CapAdd].sort()).toEqual(allowed.split(" ").sort());
    expect(Privileged).toBe(false);
    // The Engine's own seccomp and AppArmor profiles, none taken away.
    expect(SecurityOpt ?? []).toEqual([]);
  });

  test("has the backend's limits, swap within memory, and weighs as any other", () => {
    expect(found.HostConfig).toMatchObject({
      Memory: 512 * MIB,
      MemorySwap: 512 * MIB,
      NanoCpus: 800_000_000,
      CpuShares: 1024,
      PidsLimit: 512,
      OomScoreAdj: 500,
      ShmSize: 64 * MIB,
    });
  });

  test("has no core dumps, as many open files as the Engine grants, and no limit that counts across containers", () => {
    const names = found.HostConfig.Ulimits.map(({ Name }) => Name);
    expect(found.HostConfig.Ulimits).toContainEqual({ Name: "core", Soft: 0, Hard: 0 });
    expect(names).not.toContain("nproc");
    const openFiles = found.HostConfig.Ulimits.find(({ Name }) => Name === "nofile");
    expect(openFiles?.Hard ?? 65_536).toBe(65_536);
  });

  test("has an init, outlives the Engine unless it was stopped, and is not removed when it ends", () => {
    expect(found.HostConfig).toMatchObject({
      Init: true,
      RestartPolicy: { Name: "unless-stopped" },
      AutoRemove: false,
      LogConfig: { Type: "local", Config: { "max-size": "5m", "max-file": "2", mode: "non-blocking" } },
    });
  });

  test("sees nothing of the host but its own key directory, read-only", () => {
    const { Binds, Mounts, Devices, PidMode, IpcMode, UTSMode, VolumesFrom } = found.HostConfig;
    const slot = found.Config.Labels["dockhost.slot"] ?? "";
    const source = `${site.dataDirectory}/slots/${slot}/keys`;
    expect(Binds ?? []).toEqual([]);
    expect(Mounts).toEqual([{ Type: "bind", Source: source, Target: "/etc/dockhost/keys", ReadOnly: true }]);
    expect(found.Mounts).toMatchObject([{ Source: source, Destination: "/etc/dockhost/keys", RW: false }]);
    expect([Devices ?? [], VolumesFrom ?? []]).toEqual([[], []]);
    // The host key that it was born with is its own since.
    expect(readdirSync(source)).toEqual(["authorized_keys"]);
    expect([PidMode, UTSMode]).toEqual(["", ""]);
    expect(IpcMode).toBe("private");
  });

  test("has its three ports bound, on the bridge dockhost alone", () => {
    const { ssh, http, https } = ada.ports;
    const bound = (port: number) => [{ HostIp: "0.0.0.0", HostPort: String(port) }];
    expect(found.NetworkSettings.Ports).toEqual({
      "22/tcp": bound(ssh),
      "80/tcp": bound(http),
      "443/tcp": bound(https),
    });
    expect(Object.keys(found.NetworkSettings.Networks)).toEqual(["dockhost"]);
  });
});

test("limits of a request lower the backend's own", async () => {
  const { containerId } = await create("cid", { limits: { memoryMiB: 128, cpus: 0.25, pids: 64 } });
  expect((await inspect(containerId)).HostConfig).toMatchObject({
    Memory: 128 * MIB,
    MemorySwap: 128 * MIB,
    NanoCpus: 250_000_000,
    PidsLimit: 64,
  });
});

test("the bridge dockhost lets no container reach another", async () => {
  const option = '{{index .Options "com.docker.network.bridge.enable_icc"}}';
  expect(await docker("network", "inspect", "dockhost", "--format", option)).toBe("false");
});

test("a neighbour's ports 22 and 80 are out of reach over the bridge, and within reach of the host", async () => {
  const neighbour = (await inspect(bob.containerId)).NetworkSettings.Networks.dockhost?.IPAddress ?? "";
  expect(neighbour).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  const serve =
    "perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>80,Listen=>5,ReuseAddr=>1) or die; 1 while $s->accept'";
  expect(await person.login(bob, key, `nohup ${serve} >/dev/null 2>&1 & sleep 0.5; kill -0 $!`)).toMatchObject({
    code: 0,
  });
  const dial = (port: number) => `timeout 3 bash -c '</dev/tcp/${neighbour}/${port}' 2>/dev/null`;
  for (const port of [22, 80]) {
    expect((await outcome("bash", ["-c", dial(port)])).code).toBe(0);
    expect((await person.login(ada, key, dial(port))).code).not.toBe(0);
  }
  const published = `timeout 3 bash -c '</dev/tcp/127.0.0.1/${bob.ports.http}'`;
  expect((await outcome("bash", ["-c", published])).code).toBe(0);
});

test("its owner is root by key, with sudo, and ends at the limits from inside", async () => {
  expect(await person.login(ada, key, "id -un; sudo -n id -un; sudo -u nobody id -un")).toMatchObject({
    code: 0,
    stdout: "root\nroot\nnobody\n",
  });
  const write = await person.login(ada, key, "echo x >> /etc/dockhost/keys/authorized_keys");
  expect(write.code).not.toBe(0);
  expect((await person.login(ada, key, "mount -t tmpfs none /mnt")).code).not.toBe(0);
});

test("nobody gets in by password or by another key", async () => {
  const stranger = await person.newKey("eve");
  const refused = await person.login(ada, stranger);
  expect(refused).toMatchObject({ code: 255, stdout: "" });
  expect(refused.stderr).toContain("Permission denied (publickey)");
});

test("each instance has a host key of its own", () => {
  expect(ada.ssh?.hostKeyFingerprint).toMatch(/^SHA256:/);
  expect(ada.ssh?.hostKeyFingerprint).not.toBe(bob.ssh?.hostKeyFingerprint);
});

test("set-ssh-keys counts from the next login on, whether the container runs or is stopped", async () => {
  const { username } = bob;
  const [second, third] = await Promise.all([person.newKey("second"), person.newKey("third")]);
  const running = await site.connection.succeed("set-ssh-keys", {
    username,
    sshPublicKeys: [second.publicKey, third.publicKey],
  });
  expect(running).toEqual(bob);
  expect((await person.login(bob, key)).code).toBe(255);
  expect((await person.login(bob, second)).code).toBe(0);
  expect((await person.login(bob, third)).code).toBe(0);

  await site.connection.succeed("stop-container", { username });
  const stopped = await site.connection.succeed("set-ssh-keys", { username, sshPublicKeys: [key.publicKey] });
  expect(stopped.state).toBe("stopped");
  const started = await site.connection.succeed("start-container", { username });
  expect((await person.login(started, second)).code).toBe(255);
  expect((await person.login(started, key)).code).toBe(0);
});

test("the host key is the same after a stop and a start", async () => {
  const { username, ssh } = ada;
  await site.connection.succeed("stop-container", { username });
  expect((await site.connection.succeed("start-container", { username })).ssh).toEqual(ssh);
});

test("an image without a key directory gets the keys by SSH_PUB_KEY, and no mount at all", async () => {
  const other = await person.newKey("dan-other");
  const request = { image: "plain", sshPublicKey: undefined, sshPublicKeys: [key.publicKey, other.publicKey] };
  const container = await create("dan", request);
  const { HostConfig, Config } = await inspect(container.containerId);
  expect(HostConfig.Mounts ?? []).toEqual([]);
  expect(Config.Env).toContain(`SSH_PUB_KEY=${key.publicKey}\n${other.publicKey}`);
  expect((await person.login(container, key)).code).toBe(0);
  expect((await person.login(container, other)).code).toBe(0);
});
