import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Socket } from "socket.io";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKEND_ROLE, PROTOCOL_VERSION, SUPERSEDED_EVENT, type Container } from "@dockhost/protocol";
import { record } from "./faults/ledger.ts";
import { docker } from "./support/docker-cli.ts";
import { API_KEY, MainServerDouble } from "./support/main-server-double.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

let person: SshUser;
let key: KeyPair;
let images: TestImages;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  images = new TestImages();
});
afterAll(async () => {
  await images[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const asking = (name: string) => ({ username: newUser(name), sshPublicKey: key.publicKey });

describe.concurrent("the connection", () => {
  test("carries role, key and agent in its handshake, and begins with status and inventory", async () => {
    await using site = await Site.open();
    const { socket, said } = site.connection;
    expect(socket.handshake.query.role).toBe(BACKEND_ROLE);
    expect(socket.handshake.auth).toMatchObject({ DOCKHOST_API_KEY: API_KEY, protocol: PROTOCOL_VERSION });
    expect(JSON.stringify(socket.handshake.query)).not.toContain(API_KEY);
    const agentId = String(socket.handshake.auth.agentId);
    expect(agentId).toMatch(/^[0-9a-f-]{36}$/);
    const status = await said.report("backend-status", ({ docker }) => docker.reachable);
    expect(status).toMatchObject({ draining: false, usage: { containers: 0 } });
    expect(status.capacity.maxContainers).toBe(50);

    const next = site.server.nextConnection();
    socket.disconnect(true);
    expect((await next).socket.handshake.auth.agentId).toBe(agentId);
    const again = await site.restart();
    expect(again.socket.handshake.auth.agentId).not.toBe(agentId);
  });

  test("begins with the whole inventory each time, and tells a heartbeat every ten seconds between", async () => {
    await using site = await Site.open();
    const [running, stopped] = await Promise.all(
      ["ada", "bob"].map((name) => site.connection.succeed("create-container", asking(name))),
    );
    if (!running || !stopped) throw new Error("two were made");
    await site.connection.succeed("stop-container", { username: stopped.username });
    const next = site.server.nextConnection();
    site.connection.socket.disconnect(true);
    const { said } = await next;
    const { containers } = await said.report("inventory");
    expect(containers).toHaveLength(2);
    expect(containers).toContainEqual(running);
    expect(containers).toContainEqual(expect.objectContaining({ username: stopped.username, state: "stopped" }));
    expect(await said.report("backend-status")).toMatchObject({ usage: { containers: 2, running: 1 } });
    const before = said.reports("backend-status").length;
    await expect.poll(() => said.reports("backend-status").length, { timeout: 12_000 }).toBeGreaterThan(before);
  });

  test("comes back after the server's own disconnect, and after each further one", async () => {
    await using site = await Site.open();
    for (let times = 0; times < 2; times += 1) {
      const next = site.server.nextConnection();
      site.connection.socket.disconnect(true);
      await (await next).said.report("inventory");
    }
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [] });
  });

  test("comes back after the server was away, and its log says meanwhile what was wrong", async () => {
    await using site = await Site.open();
    const { port } = site.server;
    await site.server[Symbol.asyncDispose]();
    await site.backend.wrote("Lost the main server");
    await site.backend.wrote(`connect ECONNREFUSED 127.0.0.1:${port}`);
    site.server = await MainServerDouble.listen({ port });
    await (await site.server.nextConnection()).said.report("inventory");
    await site.connection.succeed("list-containers", {});
  });

  test("is tried again where nobody listens, for as long as it takes", async () => {
    await using site = await Site.prepare();
    const { port } = site.server;
    await site.server[Symbol.asyncDispose]();
    const backend = site.start();
    await backend.wrote(`connect ECONNREFUSED 127.0.0.1:${port}`);
    site.server = await MainServerDouble.listen({ port });
    await (await site.server.nextConnection()).said.report("inventory");
  });

  test("that is refused ends in `Authentication failed` and slow tries, until the key is enabled", async () => {
    let enabled = false;
    await using site = await Site.prepare({ server: { accepts: (given) => enabled && given === API_KEY } });
    const backend = site.start();
    await backend.wrote("Authentication failed");
    enabled = true;
    const begin = performance.now();
    await (await site.server.nextConnection()).said.report("inventory");
    expect(performance.now() - begin).toBeGreaterThan(5_000);
    expect(site.server.refusals).toHaveLength(1);
  }, 60_000);

  test("that is superseded ends until a restart, says so in one sentence, and the process goes on", async () => {
    await using site = await Site.open();
    site.connection.socket.emit(SUPERSEDED_EVENT);
    await site.backend.wrote("Another agent has connected with this API key");
    await delay(3_000);
    expect(site.server.connections).toHaveLength(1);
    expect(site.connection.isOpen).toBe(false);
    const [said, ...more] = site.backend.log.filter(({ level }) => level === "error");
    expect(said?.msg).toMatch(/^Another agent .* this one stops trying until it is restarted$/);
    expect(more).toEqual([]);
    expect((await site.backend.end()).code).toBe(0);
    await site.ready(site.start());
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [] });
  });

  test("is made again by the same agent without a word of another one", async () => {
    await using site = await Site.open();
    const { username } = await site.connection.succeed("create-container", asking("kim"));
    const next = site.server.nextConnection();
    site.connection.socket.disconnect(true);
    await (await next).said.report("inventory");
    expect(await site.connection.succeed("stop-container", { username })).toMatchObject({ state: "stopped" });
    expect(site.backend.output).not.toContain("Another agent");
  });

  test("is made by long polling where a server or a proxy takes no WebSocket", async () => {
    await using site = await Site.open({ server: { transports: ["polling"] } });
    expect(site.connection.socket.conn.transport.name).toBe("polling");
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [] });
  });

  test("that ended takes its replies with it: none reaches another call on the next one", async () => {
    const image = await images.build(
      'ENTRYPOINT ["/bin/sh", "-c", "sleep 3; exec /bin/sh /usr/local/sbin/dockhost-entrypoint /usr/sbin/sshd -D -e"]',
    );
    await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `slow=${image}` } });
    const { port } = site.server;
    await site.connection.succeed("create-container", asking("warm"));
    await site.restart();
    const [first, second] = [asking("cid"), asking("dan")].map((one) => ({ ...one, image: "slow" }));
    if (!first || !second) throw new Error("two were asked for");
    const operationId = randomUUID();
    // The first call of a server, as the second create is the first call of the next one.
    void site.connection.raw("create-container", { ...first, operationId }).catch(() => undefined);
    site.connection.socket.emit("create-container", { ...first, operationId });
    await site.connection.said.report("operation-progress", ({ username }) => username === first.username);
    await site.server[Symbol.asyncDispose]();
    site.server = await MainServerDouble.listen({ port });
    const next = await site.server.nextConnection();
    const created = await next.succeed("create-container", second);
    expect(created.username).toBe(second.username);
    expect(next.said.named("command-result")).toEqual([]);
    expect(await next.succeed("create-container", { ...first, operationId })).toMatchObject({
      username: first.username,
      state: "running",
    });
  });
});

describe.concurrent("a frame that no main server has reason to send", () => {
  const frames: [string, (socket: Socket) => void, string][] = [
    ["of more than 64 KiB", (socket) => void socket.emit("stop-container", "x".repeat(65_536)), "more than 64 KiB"],
    ["with an attachment", (socket) => void socket.emit("stop-container", Buffer.from("ada")), "no Socket.IO packet"],
    ["of garbage", ({ conn }) => void conn.write("2[{garbage"), "no Socket.IO packet"],
    ["of a refusal without words", ({ conn }) => void conn.write("4"), "no Socket.IO packet"],
  ];
  const cases = (["websocket", "polling"] as const).flatMap((transport) =>
    frames.map((frame) => [transport, ...frame] as const),
  );

  test.each(cases)("over %s, %s, ends the connection, which comes back, and never the process", async (...frame) => {
    const [transport, , send, sentence] = frame;
    await using site = await Site.open({ server: { transports: [transport] } });
    const next = site.server.nextConnection();
    send(site.connection.socket);
    await (await next).said.report("inventory");
    const [told, ...more] = site.backend.log.filter(({ msg }) => msg.includes("containers keep running"));
    expect(told?.msg).toContain(sentence);
    expect(more).toEqual([]);
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [] });
  });
});

test("two agents that get the same create at once make one container of it; the other says CONFLICT", async () => {
  await using site = await Site.open();
  await using other = await Site.open();
  const request = asking("two");
  const replies = await Promise.all(
    [site, other].map(({ connection }) => connection.reply("create-container", request)),
  );
  expect(replies.filter(({ success }) => success)).toHaveLength(1);
  expect(replies.filter(({ success }) => !success)).toMatchObject([{ error: { code: "CONFLICT" } }]);
  const names = [...(await site.containerNames()), ...(await other.containerNames())];
  expect(names).toEqual([`dockhost-${request.username}`]);
  expect([...(await site.slotDirectories()), ...(await other.slotDirectories())]).toHaveLength(1);
  record({ fault: "two backends on one Engine, or a copy made by hand", runs: 1 });
});

describe.concurrent("what happens to a container by hand", () => {
  const changesOf = (site: Site, { username }: Container) =>
    site.connection.said.reports("container-changed").filter(({ container }) => container.username === username);

  const heard = async (site: Site, container: Container, kind: string) =>
    site.connection.said.report(
      "container-changed",
      (change) => change.container.username === container.username && change.cause.kind === kind,
    );

  test("is told with its cause: stopped, started, killed, died and run again, removed", async () => {
    await using site = await Site.open();
    const created = await site.connection.succeed("create-container", asking("eli"));
    const { containerId, ports } = created;

    await docker("stop", containerId);
    expect((await heard(site, created, "stopped-by-hand")).container).toMatchObject({ state: "stopped", ports });
    await docker("start", containerId);
    expect((await heard(site, created, "started")).container).toMatchObject({ state: "running", ports });

    await docker("kill", containerId);
    const died = await heard(site, created, "died");
    expect(died).toMatchObject({ container: { containerId }, cause: { exitCode: 137, oomKilled: false } });

    await docker("start", containerId);
    await docker("rm", "--force", containerId);
    const removed = await heard(site, created, "removed-by-hand");
    expect(removed.container).toMatchObject({ containerId, ports });
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [] });
    expect(await site.slotDirectories()).toEqual([]);
    const [first] = changesOf(site, created).map(({ cause }) => cause.kind);
    expect(first).toBe("stopped-by-hand");
    // Its name and its ports are free again.
    const again = { username: created.username, sshPublicKey: key.publicKey };
    expect(await site.connection.succeed("create-container", again)).toMatchObject({ ports });
    record({ fault: "docker rm or docker stop by hand", test: "what happens by hand is told with its cause", runs: 4 });
  });

  test("docker restart is a stop and a start, and the container is as reachable as before", async () => {
    await using site = await Site.open();
    const created = await site.connection.succeed("create-container", asking("fay"));
    await docker("restart", created.containerId);
    await heard(site, created, "started");
    expect(changesOf(site, created).map(({ cause }) => cause.kind)).toEqual(["stopped-by-hand", "started"]);
    const { containers } = await site.connection.succeed("list-containers", {});
    expect(containers).toEqual([created]);
    record({ fault: "docker rm or docker stop by hand", test: "docker restart is a stop and a start", runs: 1 });
  });

  test("a server inside that ends by itself is told as died, with its exit code, and runs again", async () => {
    await using site = await Site.open();
    const created = await site.connection.succeed("create-container", asking("gil"));
    await docker("exec", "--detach", created.containerId, "sh", "-c", "kill -KILL $(pgrep -o sshd)");
    expect((await heard(site, created, "died")).cause).toMatchObject({ exitCode: 137, oomKilled: false });
    await heard(site, created, "started");
    expect(await site.connection.succeed("start-container", { username: created.username })).toMatchObject({
      state: "running",
    });
  });

  test("is not told where a command did it", async () => {
    await using site = await Site.open();
    const { username } = await site.connection.succeed("create-container", asking("hal"));
    for (const command of ["stop-container", "start-container", "stop-container", "delete-container"] as const) {
      await site.connection.succeed(command, { username });
      await delay(600);
    }
    expect(site.connection.said.named("container-changed")).toEqual([]);
  });
});

test("a change of draining is told at once, not with the next heartbeat", async () => {
  await using site = await Site.open();
  await delay(500);
  await site.connection.succeed("set-draining", { draining: true });
  await site.connection.said.report("backend-status", ({ draining }) => draining, 4_000);
});
