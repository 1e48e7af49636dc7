import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { docker, outcome } from "./support/docker-cli.ts";
import { machinesEngine } from "./support/engine-api.ts";

const image = "dockhost/instance:latest";
const label = `dockhost.test=${randomUUID()}`;

// The capabilities, limits and init under which the backend runs every instance.
const capabilities =
  "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETFCAP NET_BIND_SERVICE SYS_CHROOT AUDIT_WRITE".split(" ");
const profile = [
  ...["--cap-drop", "ALL", ...capabilities.flatMap((name) => ["--cap-add", name])],
  ...["--init", "--pids-limit", "512", "--memory", "512m", "--memory-swap", "512m"],
];

let folder: string;
let ada: string;
let eve: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-image-"));
  ada = await newKey("ada");
  eve = await newKey("eve");
});
afterEach(() => machinesEngine.removeAll(label));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function newKey(name: string) {
  const file = join(folder, name);
  await outcome("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
  return file;
}

const publicKey = (file: string) => readFile(`${file}.pub`, "utf8");

/** A directory as the backend keeps it for an instance, owned by somebody whom the instance does not know. */
async function keyDirectory(...keys: readonly string[]) {
  const directory = await mkdtemp(join(folder, "keys-"));
  await chmod(directory, 0o755);
  await writeFile(join(directory, "authorized_keys"), keys.join(""), { mode: 0o644 });
  if (process.getuid?.() === 0) await chown(directory, 12345, 12345);
  return directory;
}

const mounted = (directory: string) => ["--mount", `type=bind,source=${directory},target=/etc/dockhost/keys,readonly`];

interface Instance {
  readonly id: string;
  readonly port: number;
}

async function boot(...options: readonly string[]): Promise<Instance> {
  const common = ["--detach", "--label", label, "--publish", "127.0.0.1::22"];
  const id = await docker("run", ...common, ...options, image);
  const port = await portOf(id);
  await untilBanner(port);
  return { id, port };
}

const portOf = async (id: string) => Number((await docker("port", id, "22/tcp")).split(":").pop());

async function untilBanner(port: number) {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const banner = await Promise.race([once(socket, "data"), once(socket, "close").then(() => undefined)]).catch(
      () => undefined,
    );
    socket.destroy();
    if (banner !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const sshOptions = [
  ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
  ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-F", "none"],
];

const login = (instance: Instance, key: string, ...command: readonly string[]) =>
  outcome("ssh", [...sshOptions, "-i", key, "-p", String(instance.port), "root@127.0.0.1", ...command]);

test("the holder of a mounted key logs in as root, whoever owns the directory, and nobody else does", async () => {
  const instance = await boot(...profile, ...mounted(await keyDirectory(await publicKey(ada))));
  expect(await login(instance, ada, "id", "-un")).toMatchObject({ code: 0, stdout: "root\n" });
  expect(await login(instance, eve, "true")).toMatchObject({ code: 255, stdout: "" });
});

test("an audit of its SSH server finds nothing to fail", async () => {
  const instance = await boot(...profile, ...mounted(await keyDirectory(await publicKey(ada))));
  const { stdout } = await outcome("ssh-audit", ["--no-colors", "--port", String(instance.port), "127.0.0.1"]);
  expect(stdout).toContain("(key) ssh-ed25519");
  expect(stdout).not.toContain("[fail]");
});

test("a changed key counts at the next login, without a restart", async () => {
  const keys = await keyDirectory(await publicKey(ada));
  const instance = await boot(...profile, ...mounted(keys));
  await writeFile(join(keys, "authorized_keys.new"), await publicKey(eve));
  await outcome("mv", [join(keys, "authorized_keys.new"), join(keys, "authorized_keys")]);
  expect((await login(instance, ada, "true")).code).toBe(255);
  expect((await login(instance, eve, "true")).code).toBe(0);
});

test("SSH_PUB_KEY serves a plain docker run, several keys at once, and is not seen in a session", async () => {
  const instance = await boot("--env", `SSH_PUB_KEY=${(await publicKey(ada)) + (await publicKey(eve))}`);
  expect((await login(instance, eve, "true")).code).toBe(0);
  expect((await login(instance, ada, "env")).stdout).not.toContain("SSH_PUB_KEY");
});

test("the user's own authorized_keys counts beside the mounted one, and survives a restart", async () => {
  const instance = await boot(...profile, ...mounted(await keyDirectory(await publicKey(ada))));
  const line = (await publicKey(eve)).trim();
  await login(instance, ada, `mkdir -p -m 700 .ssh && echo '${line}' > .ssh/authorized_keys`);
  expect((await login(instance, eve, "true")).code).toBe(0);
  await docker("restart", instance.id);
  const restarted = { ...instance, port: await portOf(instance.id) };
  await untilBanner(restarted.port);
  expect((await login(restarted, eve, "true")).code).toBe(0);
});

test("no password opens it: sshd offers keys alone, and root has none", async () => {
  const instance = await boot(...profile, ...mounted(await keyDirectory(await publicKey(ada))));
  const refused = await outcome("ssh", [
    ...[...sshOptions, "-o", "PubkeyAuthentication=no", "-o", "LogLevel=INFO", "-p", String(instance.port)],
    "root@127.0.0.1",
  ]);
  expect(refused.code).toBe(255);
  expect(refused.stderr).toContain("Permission denied (publickey).");
  expect((await login(instance, ada, "getent shadow root | cut -d: -f2")).stdout).toMatch(/^[!*]/);
});

test("each instance has an identity of its own, made at first boot and kept", async () => {
  const bare = await docker("run", "--rm", "--label", label, "--entrypoint", "ls", image, "/etc/ssh");
  expect(bare).not.toContain("ssh_host_");

  const keys = mounted(await keyDirectory(await publicKey(ada)));
  const [one, other] = [await boot(...profile, ...keys), await boot(...profile, ...keys)];
  const identity = async (instance: Instance) =>
    (await login(instance, ada, "cat /etc/ssh/ssh_host_*.pub /etc/machine-id")).stdout.trim().split("\n");
  const [first, second] = [await identity(one), await identity(other)];
  expect(first).toEqual([expect.stringMatching(/^ssh-ed25519 /), expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(first[0]).not.toBe(second[0]);
  expect(first[1]).not.toBe(second[1]);

  await docker("restart", one.id);
  const restarted = { ...one, port: await portOf(one.id) };
  await untilBanner(restarted.port);
  expect(await identity(restarted)).toEqual(first);
});

test("a host key that is laid out with the keys is its own from first boot on, also once it is laid out no more", async () => {
  const directory = await keyDirectory(await publicKey(ada));
  const laidOut = join(directory, "ssh_host_ed25519_key");
  await outcome("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", laidOut]);
  const publicFile = await publicKey(laidOut);
  const hostKey = publicFile.trim();
  const instance = await boot(...profile, ...mounted(directory));
  const shown = async (port: number) =>
    (await outcome("ssh-keyscan", ["-t", "ed25519", "-p", String(port), "127.0.0.1"])).stdout.trim();
  expect(await shown(instance.port)).toBe(`[127.0.0.1]:${instance.port} ${hostKey}`);

  await Promise.all([laidOut, `${laidOut}.pub`].map((file) => rm(file)));
  const kept = await login(instance, ada, "cd /etc/ssh; stat -c '%n %a %U' ssh_host_*; cat ssh_host_*.pub");
  expect(kept.stdout).toBe(`ssh_host_ed25519_key 600 root\nssh_host_ed25519_key.pub 644 root\n${publicFile}`);
  await docker("restart", instance.id);
  const port = await portOf(instance.id);
  await untilBanner(port);
  expect(await shown(port)).toBe(`[127.0.0.1]:${port} ${hostKey}`);
});

test("a first boot that was cut off while it wrote the host key begins anew", async () => {
  const keys = mounted(await keyDirectory(await publicKey(ada)));
  const halfKey = join(folder, "half-key");
  await writeFile(halfKey, (await readFile(eve, "utf8")).slice(0, 100));
  const id = await docker("create", "--label", label, "--publish", "127.0.0.1::22", ...profile, ...keys, image);
  await docker("cp", halfKey, `${id}:/etc/ssh/ssh_host_ed25519_key`);
  await docker("start", id);
  const instance = { id, port: await portOf(id) };
  await untilBanner(instance.port);
  const made = await login(instance, ada, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key");
  expect(made.stdout).toContain("(ED25519)");
});

test.each([
  ["under an init", ["--init"]],
  ["as process 1", []],
])("docker stop ends it at once, sessions included, %s", async (_, init) => {
  const keys = mounted(await keyDirectory(await publicKey(ada)));
  const instance = await boot(...init, ...keys);
  const session = spawn(
    "ssh",
    [...sshOptions, "-i", ada, "-p", String(instance.port), "root@127.0.0.1", "echo in; sleep 600"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const ended = once(session, "exit");
  await once(session.stdout, "data");
  await docker("stop", instance.id);
  // 137 would mean that it had to be killed after ten seconds.
  expect(await docker("inspect", "--format", "{{.State.ExitCode}}", instance.id)).toBe("0");
  expect((await ended)[0]).toBe(255);
});

test("a terminal, sftp, sudo, ping and a web server work with the backend's few capabilities", async () => {
  const instance = await boot(...profile, ...mounted(await keyDirectory(await publicKey(ada))));
  expect((await login(instance, ada, "-tt", "tty")).stdout).toContain("/dev/pts/");
  expect(
    await login(instance, ada, "sudo -u nobody id -un; ping -c1 127.0.0.1 > /dev/null && echo pong"),
  ).toMatchObject({ stdout: "nobody\npong\n" });

  const sent = join(folder, "sent");
  await writeFile(sent, "by sftp");
  const copied = await outcome("scp", [
    ...[...sshOptions, "-i", ada, "-P", String(instance.port), sent],
    "root@127.0.0.1:/srv/sent",
  ]);
  expect(copied.code).toBe(0);
  expect((await login(instance, ada, "cat", "/srv/sent")).stdout).toBe("by sftp");

  const server = "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalPort => 80, Listen => 1) or die; print q(ok)'";
  expect((await login(instance, ada, server)).stdout).toBe("ok");
  expect((await login(instance, ada, "echo $LANG")).stdout).toBe("C.UTF-8\n");
});
