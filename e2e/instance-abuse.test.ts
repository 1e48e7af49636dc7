import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { record } from "./faults/ledger.ts";
import { docker, outcome } from "./support/docker-cli.ts";
import { loadInstanceImage } from "./support/engine-data-root.ts";
import { PrivateEngine } from "./support/private-engine.ts";
import { newUser, Site } from "./support/site.ts";
import { SmallDisk } from "./support/small-disk.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

const MIB = 1024 * 1024;

const create = (site: Site, key: KeyPair, name: string, limits: object = {}): Promise<Container> =>
  site.connection.succeed("create-container", { username: newUser(name), sshPublicKey: key.publicKey, limits });

/** The backend has spoken since now. */
async function expectHeartbeat(site: Site): Promise<void> {
  const statuses = () => site.connection.said.reports("backend-status").length;
  const before = statuses();
  await expect.poll(statuses, { timeout: 25_000 }).toBeGreaterThan(before);
}

describe("one instance that goes wild", () => {
  let site: Site;
  let person: SshUser;
  let key: KeyPair;
  let neighbour: Container;

  beforeAll(async () => {
    person = await SshUser.arrive();
    key = await person.newKey("ada");
    site = await Site.open({ environment: { DOCKHOST_CPUS: "0.5" } });
    neighbour = await create(site, key, "bob");
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await person[Symbol.asyncDispose]();
  });

  const processes = async ({ containerId }: Container): Promise<number> =>
    Number(await docker("stats", "--no-stream", "--format", "{{.PIDs}}", containerId));

  test("by a fork bomb ends at its own limit: the neighbour's login and the heartbeat go on, and it can be deleted", async () => {
    const wild = await create(site, key, "ada", { pids: 256 });
    await person.login(wild, key, "nohup perl -e 'fork while 1' >/dev/null 2>&1 &");
    await expect.poll(() => processes(wild)).toBe(256);

    expect(await person.login(neighbour, key)).toMatchObject({ code: 0, stdout: "root\n" });
    await expectHeartbeat(site);
    expect(await processes(wild)).toBe(256);
    expect(await create(site, key, "cid")).toMatchObject({ state: "running" });
    const { username } = wild;
    expect(await site.connection.succeed("delete-container", { username })).toMatchObject({ existed: true });
    expect((await site.connection.succeed("list-containers", { username })).containers).toEqual([]);
    record({ fault: "fork bomb or memory hog in one instance", runs: 1 });
  });

  const HOG = `perl -e '$all .= "x" x 1_000_000 while 1'`;

  test("by a memory hog loses the hog: its own login, the neighbour's and the heartbeat go on", async () => {
    const wild = await create(site, key, "dan", { memoryMiB: 128 });
    expect((await person.login(wild, key, `${HOG}; echo "ended with $?"`)).stdout).toBe("ended with 137\n");
    expect(await person.login(wild, key)).toMatchObject({ code: 0, stdout: "root\n" });
    expect(await person.login(neighbour, key)).toMatchObject({ code: 0, stdout: "root\n" });
    await expectHeartbeat(site);
    await site.connection.succeed("delete-container", { username: wild.username });
    record({ fault: "fork bomb or memory hog in one instance", runs: 1 });
  });

  test("by a memory hog that takes its server along is told as died for want of memory, and runs again", async () => {
    const wild = await create(site, key, "eli", { memoryMiB: 64 });
    const victim = "for p in /proc/[0-9]*; do grep -qs sshd $p/comm && echo 1000 >$p/oom_score_adj; done";
    // Each too small to be the kernel's choice.
    const hogs = `for i in $(seq 14); do nohup perl -e '$x = "x" x 6_000_000; sleep 30' >/dev/null 2>&1 & done`;
    await person.login(wild, key, `${victim}; ${hogs}; sleep 5`);
    const told = await site.connection.said.report(
      "container-changed",
      ({ container, cause }) => container.containerId === wild.containerId && cause.kind === "died",
    );
    expect(told.cause).toEqual({ kind: "died", exitCode: 137, oomKilled: true });
    await expect.poll(async () => (await person.login(wild, key)).stdout).toBe("root\n");
    await site.connection.succeed("delete-container", { username: wild.username });
    record({ fault: "fork bomb or memory hog in one instance", runs: 1 });
  });
});

describe("what an owner does by ssh", () => {
  let site: Site;
  let person: SshUser;
  let key: KeyPair;
  let mine: Container;

  beforeAll(async () => {
    person = await SshUser.arrive();
    key = await person.newKey("ada");
    site = await Site.open();
    mine = await create(site, key, "ada");
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await person[Symbol.asyncDispose]();
  });

  test("apt installs a package that was brought in, with its script and its files, and takes it away", async () => {
    const bytes = (await packageThatGreets()).toString("base64");
    await person.login(mine, key, `echo ${bytes} | base64 -d >/tmp/greeting.deb`);
    const installed = await person.login(mine, key, "apt-get install --yes /tmp/greeting.deb && greeting");
    expect(installed.stderr).not.toContain("dpkg: error");
    expect(installed).toMatchObject({ code: 0 });
    expect(installed.stdout).toMatch(/configured as root\r?\n[^]*hello\r?\n$/);
    expect((await person.login(mine, key, "apt-get remove --yes greeting && ! which greeting")).code).toBe(0);
  });

  test("sudo makes a user root and root a user", async () => {
    const prepare = "useradd --create-home eve && echo 'eve ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/eve";
    expect(await person.login(mine, key, `${prepare} && sudo -u eve sh -c 'id -un; sudo id -un'`)).toMatchObject({
      code: 0,
      stdout: "eve\nroot\n",
    });
  });
});

/** A Debian package of one program, built here. */
async function packageThatGreets(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "dockhost-deb-"));
  const root = join(folder, "root");
  const file = async (path: string, mode: number, ...lines: readonly string[]): Promise<void> => {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), [...lines, ""].join("\n"));
    await chmod(join(root, path), mode);
  };
  const fields = ["Package: greeting", "Version: 1.0", "Architecture: all", "Maintainer: Ada <ada@example.org>"];
  await file("DEBIAN/control", 0o644, ...fields, "Description: says hello");
  await file(
    "DEBIAN/postinst",
    0o755,
    "#!/bin/sh",
    'chown nobody /usr/share/greeting && echo "configured as $(id -un)"',
  );
  await file("usr/bin/greeting", 0o755, "#!/bin/sh", "cat /usr/share/greeting");
  await file("usr/share/greeting", 0o644, "hello");
  const built = join(folder, "greeting.deb");
  // The compression that every dpkg reads.
  const { code, stderr } = await outcome("dpkg-deb", ["-Zgzip", "--root-owner-group", "--build", root, built]);
  if (code !== 0) throw new Error(`dpkg-deb: ${stderr}`);
  const bytes = await readFile(built);
  await rm(folder, { recursive: true });
  return bytes;
}

/** Room for the image, and for more than the floor below which creates are refused. */
const DISK_MIB = 4096;

/** A machine whose Engine keeps everything on `disk`, a backend there, and its user. */
class DiskMachine implements AsyncDisposable {
  readonly site: Site;
  readonly person: SshUser;
  readonly key: KeyPair;
  readonly #parts: readonly AsyncDisposable[];

  private constructor(machine: PrivateEngine, disk: SmallDisk, site: Site, person: SshUser, key: KeyPair) {
    this.site = site;
    this.person = person;
    this.key = key;
    this.#parts = [person, site, machine, disk];
  }

  static async open(disk: SmallDisk, storageDriver: "overlay2" | "btrfs"): Promise<DiskMachine> {
    const keptReady = storageDriver === "overlay2";
    const machine = await PrivateEngine.open({
      dataRoot: join(disk.path, "docker"),
      loadImage: keptReady,
      moreArguments: () => ["--storage-driver", storageDriver],
    });
    if (!keptReady) await loadInstanceImage(machine.url);
    const person = await SshUser.arrive(machine.address);
    const site = await Site.open({ machine, environment: { DOCKHOST_DISK: "512m" } });
    return new DiskMachine(machine, disk, site, person, await person.newKey("ada"));
  }

  create(name: string): Promise<Container> {
    return create(this.site, this.key, name);
  }

  in(container: Container, command: string) {
    return this.person.login(container, this.key, command);
  }

  /** As the backend says it, once its trial of the Engine is over and the trial's containers are gone. */
  async quotaEnforced(): Promise<boolean | null> {
    const { said } = this.site.connection;
    const known = await said.report("backend-status", ({ capacity }) => capacity.diskQuotaEnforced !== null);
    return known.capacity.diskQuotaEnforced;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts) await part[Symbol.asyncDispose]();
  }
}

describe("on a disk without quotas", () => {
  let machine: DiskMachine;
  beforeAll(async () => {
    machine = await DiskMachine.open(await SmallDisk.open("ext4", DISK_MIB), "overlay2");
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  test("the backend says that no quota is enforced", async () => {
    expect(await machine.quotaEnforced()).toBe(false);
  });

  test("an instance that fills it brings creates to CAPACITY, and nobody else's login or the heartbeat down", async () => {
    const { site, key } = machine;
    const [wild, neighbour] = [await machine.create("ada"), await machine.create("bob")];
    const another = { username: newUser("cid"), sshPublicKey: key.publicKey };

    expect((await machine.in(wild, "fallocate -l 1700M /root/much")).code).toBe(0);
    const refused = await site.connection.refusal("create-container", "CAPACITY", another);
    expect(refused.message).toMatch(/\d+ MiB of disk are free, 2048 are needed/);

    const fill = "until ! fallocate -l 1M /root/piece-$((i+=1)); do :; done; head -c 2M /dev/zero >/root/last";
    expect((await machine.in(wild, fill)).stderr).toContain("No space left on device");

    expect(await machine.in(neighbour, "whoami")).toMatchObject({ code: 0, stdout: "root\n" });
    await expectHeartbeat(site);
    const { username } = neighbour;
    await site.connection.succeed("stop-container", { username });
    // Docker writes a few blocks at each start, and there may be none: then it says so, and nothing is lost.
    const start = await site.connection.reply("start-container", { username });
    expect(start.success || start.error.code).toBeOneOf([true, "CAPACITY"]);
    await site.connection.refusal("create-container", "CAPACITY", another);

    await site.connection.succeed("delete-container", { username: wild.username });
    expect(await site.connection.succeed("start-container", { username })).toMatchObject({ state: "running" });
    expect(await machine.in(neighbour, "whoami")).toMatchObject({ code: 0, stdout: "root\n" });
    expect(await site.connection.succeed("create-container", another)).toMatchObject({ state: "running" });
    record({ fault: "disk full", runs: 1 });
  });
});

describe("on a disk with quotas", () => {
  let disk: SmallDisk;
  let machine: DiskMachine;
  beforeAll(async () => {
    disk = await SmallDisk.open("btrfs", DISK_MIB);
    machine = await DiskMachine.open(disk, "btrfs");
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  test("the backend says that quotas are enforced", async () => {
    expect(await machine.quotaEnforced()).toBe(true);
  });

  test("an instance ends at DOCKHOST_DISK, and its neighbour has its own", async () => {
    const [wild, neighbour] = [await machine.create("ada"), await machine.create("bob")];
    await disk.countQuotasAnew();
    const full = await machine.in(wild, "head -c 520M /dev/zero >/root/much");
    expect(full).toMatchObject({ code: 1 });
    expect(full.stderr).toContain("Disk quota exceeded");
    const written = Number((await machine.in(wild, "stat --format %s /root/much")).stdout);
    // This storage driver counts the image's own files, too.
    expect(written).toBeGreaterThan(100 * MIB);
    expect(written).toBeLessThan(512 * MIB);
    expect((await machine.in(neighbour, "head -c 100M /dev/zero >/root/much")).code).toBe(0);
    expect(await machine.in(wild, "whoami")).toMatchObject({ code: 0, stdout: "root\n" });
  });

  test("a request may lower it", async () => {
    const { site, key } = machine;
    const small = await create(site, key, "cid", { diskMiB: 400 });
    await disk.countQuotasAnew();
    expect(await machine.in(small, "head -c 410M /dev/zero >/root/much && sync /root/much")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Disk quota exceeded") as string,
    });
  });
});
