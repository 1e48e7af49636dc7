import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

const RANGE = { DOCKHOST_PORT_RANGE: "22700-22798" };

let agent: AgentUnderTest;
beforeAll(async () => {
  agent = new AgentUnderTest(RANGE);
  await agent.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const asking = (USERNAME: string, startingPortNo: unknown = 1024) => ({
  ...{ USERNAME, SSH_PUB_KEY: PUBLIC_KEY, startingPortNo },
});

describe("an event of the older dialect", () => {
  it("is served through a container's whole life, and answered under its user's name", async () => {
    const USERNAME = "ada";
    expect(await said("check_if_container_exists", { USERNAME })).toBe(false);
    const started = await said("start_container", asking(USERNAME));
    expect(started).toEqual({ status: 201, success: true, message: expect.any(String) as string, PORT_NO: 22700 });
    expect(await said("check_if_container_running", { USERNAME })).toBe(true);
    const done = { status: 200, success: true, message: expect.any(String) as string };
    expect(await said("stop_container", { USERNAME })).toEqual(done);
    expect(await said("check_if_container_running", { USERNAME })).toBe(false);
    expect(await said("check_if_container_exists", { USERNAME })).toBe(true);
    expect(await said("resume_container", { USERNAME })).toEqual(done);
    expect(await said("check_if_container_running", { USERNAME })).toBe(true);
    expect(await said("delete_container", { USERNAME })).toEqual(done);
    expect(await said("delete_container", { USERNAME })).toEqual(done);
    expect(await said("check_if_container_exists", { USERNAME })).toBe(false);
  });

  it("says where the search for ports begins, also from beyond the end of the range", async () => {
    const ports = [];
    for (const [user, from] of Object.entries({ a: 22750, b: 22750, c: 65_533, d: 22702 })) {
      ports.push(((await said("start_container", asking(user, from))) as { PORT_NO: number }).PORT_NO);
    }
    expect(ports).toEqual([22751, 22754, 22700, 22703]);
    for (const USERNAME of ["a", "b", "c", "d"]) await said("delete_container", { USERNAME });
  });

  it("that fails is answered by a status and one sentence, and nothing else", async () => {
    const failed = (status: number) => ({ status, success: false, message: expect.any(String) as string });
    for (const port of ["4096", "1024; reboot", 1023, 65_534, 4096.5, null, undefined, [4096], {}, true]) {
      expect(await said("start_container", { ...asking("ada"), startingPortNo: port })).toEqual(failed(400));
    }
    for (const SSH_PUB_KEY of [undefined, 7, "", "no key", `${PUBLIC_KEY}\n\n`]) {
      expect(await said("start_container", { ...asking("ada"), SSH_PUB_KEY })).toEqual(failed(400));
    }
    for (const event of ["stop_container", "resume_container"]) {
      expect(await said(event, { USERNAME: "nobody" })).toEqual(failed(404));
    }
    await said("start_container", asking("ada"));
    expect(await said("start_container", asking("ada"))).toEqual(failed(409));
    await agent.mainServer.command("set-draining", { draining: true });
    expect(await said("start_container", asking("bob"))).toEqual(failed(503));
    await agent.mainServer.command("set-draining", { draining: false });
    await said("delete_container", { USERNAME: "ada" });
  });

  it("that carries a callback is answered there too, which is how a refused username hears of it", async () => {
    expect(await withCallback("check_if_container_exists", { USERNAME: "ada" })).toBe(false);
    expect(await said("check_if_container_exists", { USERNAME: "ada" })).toBe(false);
    const refused = await withCallback("stop_container", { USERNAME: "disconnect" });
    expect(refused).toMatchObject({ status: 400, success: false });
  });
});

describe("a username that must not name an event", () => {
  const names = "connect connect_error disconnect disconnecting newListener removeListener superseded command-result";
  const ours = "open-stream create-container list-containers inventory backend-status start_container stop_container";

  it.each([...names.split(" "), ...ours.split(" ")])(
    "%s is refused in one line of the log, in silence",
    async (name) => {
      const lines = agent.logLines.length;
      const before = agent.mainServer.reports.length;
      for (const event of ["start_container", "delete_container", "check_if_container_exists"]) {
        agent.mainServer.backend.emit(event, asking(name));
      }
      await roundTrip();
      const heard = agent.mainServer.reports.slice(before);
      expect(heard.filter(({ payload }) => payload === false || isReply(payload))).toEqual([]);
      const logged = agent.logLines.slice(lines);
      expect(logged).toHaveLength(3);
      for (const line of logged) expect(line).toContain("must not be the name of an event");
    },
  );

  it("nor may one that is not valid", async () => {
    const before = agent.mainServer.reports.length;
    for (const name of [
      "",
      "a b",
      "a;b",
      "a\nb",
      "../a",
      "-rf",
      "$(reboot)",
      "x".repeat(64),
      "ä",
      "a/b",
      "__proto__",
    ]) {
      agent.mainServer.backend.emit("delete_container", { USERNAME: name });
    }
    await roundTrip();
    expect(agent.mainServer.reports.slice(before).filter(({ payload }) => isReply(payload))).toEqual([]);
  });
});

describe("a check that cannot be made", () => {
  it("is not answered under the user's name, since false would be a lie; a callback hears why", async () => {
    await using away = new AgentUnderTest(
      { DOCKHOST_PORT_RANGE: "23300-23398" },
      { engineRetryMs: { first: 50, last: 50 } },
    );
    await away.start();
    const { backend, reports } = away.mainServer;
    away.engine.goAway();
    backend.emit("check_if_container_exists", { USERNAME: "ada" });
    const heard = (await backend
      .timeout(5_000)
      .emitWithAck("check_if_container_running", { USERNAME: "ada" })) as unknown;
    expect(heard).toMatchObject({ status: 503, success: false });
    expect(reports.filter(({ name }) => name === "ada")).toEqual([]);
    const stop = away.mainServer.nextReport("ada");
    backend.emit("stop_container", { USERNAME: "ada" });
    expect(await stop).toMatchObject({ status: 503, success: false });
  });
});

describe("both dialects", () => {
  it("share one queue per user: what is asked in one waits for the other", async () => {
    const { mainServer, engine } = agent;
    engine.calls.length = 0;
    const create = mainServer.command("create-container", { username: "eve", sshPublicKey: PUBLIC_KEY });
    const [stopped] = await Promise.all([said("stop_container", { USERNAME: "eve" }), create]);
    expect(stopped).toMatchObject({ status: 200 });
    const [resumed, deleted] = await Promise.all([
      said("resume_container", { USERNAME: "eve" }),
      mainServer.command("delete-container", { username: "eve" }),
    ]);
    expect(resumed).toMatchObject({ status: 200 });
    expect(deleted).toMatchObject({ success: true, data: { existed: true } });
    const acts = engine.calls.filter((call) => ["create", "stop", "remove"].includes(call));
    expect(acts).toEqual(["create", "stop", "remove"]);
  });

  it("share one rate, beyond which the older one says 429", async () => {
    await using hurried = new AgentUnderTest(
      { DOCKHOST_PORT_RANGE: "23400-23498" },
      { commandRate: { burst: 3, perSecond: 0.001 } },
    );
    await hurried.start();
    const { mainServer } = hurried;
    for (const username of ["a", "b", "c"]) await mainServer.command("delete-container", { username });
    const told = mainServer.nextReport("ada");
    mainServer.backend.emit("stop_container", { USERNAME: "ada" });
    expect(await told).toMatchObject({ status: 429, success: false });
    expect(await mainServer.command("list-containers", {})).toMatchObject({ error: { code: "RATE_LIMITED" } });
  });

  it("send no reply into a connection that the command did not come by", async () => {
    const { mainServer } = agent;
    const next = mainServer.nextConnection();
    const before = mainServer.reports.length;
    mainServer.backend.emit("start_container", asking("fay"));
    await agent.mainServer.nextReport("operation-progress");
    mainServer.backend.disconnect(true);
    await next;
    await expect.poll(() => containersOf("fay")).toHaveLength(1);
    await delay(50);
    expect(mainServer.reports.slice(before).filter(({ name }) => name === "fay")).toEqual([]);
    await mainServer.command("delete-container", { username: "fay" });
  });
});

/** What the backend says under the user's name. */
async function said(event: string, payload: { USERNAME: string; [field: string]: unknown }): Promise<unknown> {
  const answer = agent.mainServer.nextReport(payload.USERNAME);
  agent.mainServer.backend.emit(event, payload);
  return answer;
}

const withCallback = (event: string, payload: unknown): Promise<unknown> =>
  agent.mainServer.backend.timeout(5_000).emitWithAck(event, payload) as Promise<unknown>;

/** What was sent before it has been answered when this has been. */
const roundTrip = () => agent.mainServer.command("list-containers", {});

async function containersOf(username: string): Promise<unknown[]> {
  const reply = await agent.mainServer.command("list-containers", { username });
  return reply.success ? reply.data.containers : [];
}

const isReply = (payload: unknown): boolean => payload !== null && typeof payload === "object" && "status" in payload;
