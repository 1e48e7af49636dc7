import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { docker } from "./support/docker-cli.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { V2MainServerDouble } from "./support/v2-main-server-double.ts";
import { firstOf, freePortRange } from "./support/ports.ts";

const V2_EVENTS = [
  ...["start_container", "stop_container", "resume_container", "delete_container"],
  ...["check_if_container_exists", "check_if_container_running"],
];

let person: SshUser;
let key: KeyPair;
let site: Site;
let server: V2MainServerDouble;
let firstPort: number;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  const range = await freePortRange(90);
  firstPort = firstOf(range);
  site = await Site.prepare({ environment: { DOCKHOST_PORT_RANGE: range } });
  server = await V2MainServerDouble.listen();
  site.start({ MAIN_SERVER_BACKEND_URL: server.url });
  await server.ready();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const failed = (status: number) => ({ status, success: false, message: expect.any(String) as string });
const done = { status: 200, success: true, message: expect.any(String) as string };

/** All that this backend has of a user, as the contract's own dialect tells it. */
async function containersOf(username?: string): Promise<Container[]> {
  const { data } = await server.command("list-containers", { username });
  return (data as { containers: Container[] }).containers;
}

async function onlyContainerOf(username: string): Promise<Container> {
  const [container] = await containersOf(username);
  if (!container) throw new Error(`${username} has no container`);
  return container;
}

/** Whether the same process serves, over the connection that it had. */
async function goesOn(): Promise<void> {
  const connections = server.connections;
  expect(await server.exists(newUser("nobody"))).toBe(false);
  expect(server.connections).toBe(connections);
}

describe("a main server of the older dialect", () => {
  test("leads a container through its whole life, with a login by ssh before and after a stop", async () => {
    const user = newUser("ada");
    expect(await server.exists(user)).toBe(false);
    expect(await server.runs(user)).toBe(false);

    const started = await server.start(user, key.publicKey, 1024);
    expect(started).toEqual({
      ...{ status: 201, success: true, message: expect.any(String) as string },
      PORT_NO: expect.any(Number) as number,
    });
    expect((Number(started.PORT_NO) - firstPort) % 3).toBe(0);
    const container = await onlyContainerOf(user);
    expect(container.ports.ssh).toBe(started.PORT_NO);
    expect(await person.login(container, key, "echo kept > /root/file && whoami")).toMatchObject({ stdout: "root\n" });
    expect([await server.exists(user), await server.runs(user)]).toEqual([true, true]);

    expect(await server.stop(user)).toEqual(done);
    expect([await server.exists(user), await server.runs(user)]).toEqual([true, false]);
    expect(await server.resume(user)).toEqual(done);
    expect([await server.exists(user), await server.runs(user)]).toEqual([true, true]);
    expect(await person.login(container, key, "cat /root/file")).toMatchObject({ stdout: "kept\n" });

    expect(await server.start(user, key.publicKey, 1024)).toEqual(failed(409));
    expect(await server.delete(user)).toEqual(done);
    expect(await server.delete(user)).toEqual(done);
    expect([await server.exists(user), await server.runs(user)]).toEqual([false, false]);
    expect(await server.stop(user)).toEqual(failed(404));
    expect(await server.resume(user)).toEqual(failed(404));
  });

  test("and one of today's may share a backend: one queue, one container, one truth", async () => {
    const user = newUser("bob");
    // Each is sent before the one before it is answered.
    const [started, stopped, listed, resumed] = await Promise.all([
      server.start(user, key.publicKey, 1024),
      server.command("stop-container", { username: user }),
      server.command("start-container", { username: user }).then(() => containersOf(user)),
      server.command("set-ssh-keys", { username: user, sshPublicKeys: [key.publicKey] }),
    ]);
    expect(started).toMatchObject({ status: 201 });
    expect(stopped).toMatchObject({ success: true, data: { state: "stopped" } });
    expect(listed).toMatchObject([{ username: user, state: "running", ports: { ssh: started.PORT_NO } }]);
    expect(resumed).toMatchObject({ success: true });
    const again = { username: user, sshPublicKey: key.publicKey };
    expect(await server.command("create-container", again)).toMatchObject({ error: { code: "ALREADY_EXISTS" } });
    expect(await server.command("delete-container", { username: user })).toMatchObject({ data: { existed: true } });
    expect(await server.exists(user)).toBe(false);
    expect(await server.delete(user)).toEqual(done);
  });

  test("says where the search for ports begins, and no stopped container's ports are given to another", async () => {
    const [first, second, third] = [newUser("cid"), newUser("cid"), newUser("cid")];
    const from = firstPort + 30;
    const { PORT_NO } = await server.start(first, key.publicKey, from);
    expect(PORT_NO).toBe(from);
    await server.stop(first);
    expect(await server.start(second, key.publicKey, from)).toMatchObject({ PORT_NO: from + 3 });
    // Past the end of the range the search begins anew.
    const { PORT_NO: last } = await server.start(third, key.publicKey, 65_533);
    expect(last).toBeGreaterThanOrEqual(firstPort);
    expect(last).toBeLessThan(from);
    expect(await server.resume(first)).toEqual(done);
    for (const user of [first, second, third]) await server.delete(user);
  });

  test("is told at the handshake where users reach this machine", () => {
    const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const outward = addresses.filter(({ family, internal }) => family === "IPv4" && !internal);
    expect(server.lanIp).toBe(outward[0]?.address ?? "127.0.0.1");
  });
});

describe("what ended or fooled agents of the older dialect", () => {
  test("a port that is no integer of the range is status 400, and no shell ever sees it", async () => {
    const user = newUser("dan");
    const ports = [
      "4096",
      "4096; touch /tmp/dockhost-owned",
      "$(id)",
      1_023,
      65_534,
      4_096.5,
      -1,
      null,
      [4_096],
      {},
      true,
    ];
    for (const startingPortNo of [...ports, undefined]) {
      const request = { USERNAME: user, SSH_PUB_KEY: key.publicKey, startingPortNo };
      expect(await server.ask("start_container", request)).toEqual(failed(400));
    }
    expect(await containersOf(user)).toEqual([]);
  });

  test("a payload that is missing, or of any other shape, is passed over in silence", async () => {
    const heard = server.said.length;
    for (const event of V2_EVENTS) {
      server.send(event);
      for (const payload of [
        null,
        undefined,
        7,
        "ada",
        true,
        [],
        [["ada"]],
        {},
        { USERNAME: null },
        { USERNAME: ["a"] },
      ]) {
        server.send(event, payload);
      }
      server.send(event, null, null, () => undefined);
    }
    await goesOn();
    const replies = server.said.slice(heard).filter(({ name }) => !name.includes("-") || name === "command-result");
    expect(replies).toEqual([]);
  });

  test("a username that is the name of an event is refused, and nothing is emitted by that name", async () => {
    const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
    const ours = ["superseded", "command-result", "open-stream", "inventory", "create-container", ...V2_EVENTS];
    const heard = server.said.length;
    for (const USERNAME of [...reserved, ...ours]) {
      for (const event of V2_EVENTS) server.send(event, { USERNAME, SSH_PUB_KEY: key.publicKey, startingPortNo: 1024 });
      await site.backend.wrote(`"username":"${USERNAME}"`);
      await goesOn();
    }
    const names = server.said.slice(heard).map(({ name }) => name);
    expect(names.filter((name) => [...reserved, ...ours].includes(name))).toEqual([]);
    expect(await containersOf()).toEqual([]);
  });

  test("a container of that name without our labels is neither seen, stopped, resumed nor deleted", async () => {
    const user = newUser("eli");
    const name = `dockhost-${user}`;
    const foreign = await docker(
      "run",
      "--detach",
      "--name",
      name,
      "--entrypoint",
      "sleep",
      "dockhost/instance",
      "600",
    );
    onTestFinished(async () => {
      await docker("rm", "--force", foreign);
    });
    const before = await docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.State.Status}}", foreign);
    expect([await server.exists(user), await server.runs(user)]).toEqual([false, false]);
    expect(await server.stop(user)).toEqual(failed(404));
    expect(await server.resume(user)).toEqual(failed(404));
    expect(await server.delete(user)).toEqual(done);
    expect(await server.start(user, key.publicKey, 1024)).toEqual(failed(409));
    expect(await docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.State.Status}}", foreign)).toBe(before);
  });

  test("two names in one mean neither of the two containers", async () => {
    const [first, second] = [newUser("fay"), newUser("fay")];
    for (const user of [first, second]) await server.start(user, key.publicKey, 1024);
    const heard = server.said.length;
    for (const between of [" ", ";", "\n", " dockhost-", ",", "|", "&&", "\u0000", "\t-f "]) {
      const USERNAME = `${first}${between}${second}`;
      for (const event of V2_EVENTS) server.send(event, { USERNAME });
    }
    await goesOn();
    expect(server.said.slice(heard).filter(({ name }) => name.includes(second))).toEqual([]);
    expect([await server.runs(first), await server.runs(second)]).toEqual([true, true]);
    for (const user of [first, second]) await server.delete(user);
  });
});
