import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BackendStatus, CommandName } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../test/agent-under-test.ts";

const ADA = { username: "ada" };
const BOB = { username: "bob" };
const LATE = { success: false, error: { code: "DEADLINE_EXCEEDED", retryable: true } };
/** Short ones, ms. */
const DEADLINES = { readMs: 250, changeMs: 250, forgetMs: 60_000 };

let agent: AgentUnderTest;
beforeEach(async () => {
  agent = new AgentUnderTest(
    { DOCKHOST_PORT_RANGE: "22806-22898" },
    { engineDeadlines: DEADLINES, engineRetryMs: { first: 20, last: 50 } },
  );
  await agent.start();
});
afterEach(async () => {
  agent.engine.thaw();
  await agent[Symbol.asyncDispose]();
});

const command = (name: CommandName, request: object) => agent.mainServer.command(name, request);
const create = (who: object) => command("create-container", { ...who, sshPublicKey: PUBLIC_KEY });

async function createStopped(who: object): Promise<void> {
  await create(who);
  await command("stop-container", who);
  agent.engine.calls.length = 0;
}

describe("a call that Docker takes and does not answer", () => {
  it("costs its own command, while other users' go on", async () => {
    await createStopped(ADA);
    agent.engine.freeze("start");
    const start = command("start-container", ADA);
    expect(await create(BOB)).toMatchObject(LATE);
    expect(await command("list-containers", ADA)).toMatchObject({ success: true });
    expect(await command("delete-container", BOB)).toMatchObject({ success: true });
    expect(await start).toMatchObject(LATE);
  });

  it("holds its user's queue no longer than its deadline, and is never overtaken by what comes after", async () => {
    await createStopped(ADA);
    agent.engine.freeze("start");
    const start = command("start-container", ADA);
    const removal = command("delete-container", ADA);
    expect(await start).toMatchObject(LATE);
    expect(await removal).toMatchObject(LATE);
    expect(agent.engine.calls.filter((call) => call === "remove")).toEqual([]);
    agent.engine.thaw();
    expect(await command("delete-container", ADA)).toMatchObject({ success: true });
    expect(agent.engine.containers.size).toBe(0);
  });

  it.each(["create", "start", "rename"])("leaves nothing of a create: %s", async (call) => {
    agent.engine.freeze(call);
    expect(await create(ADA)).toMatchObject(LATE);
    agent.engine.thaw();
    await expect.poll(async () => (await create(ADA)).success, { timeout: 5_000 }).toBe(true);
    const claimed = [...agent.engine.containers.values()].filter(({ name }) => name === "dockhost-ada");
    expect(claimed).toHaveLength(1);
  });

  it("makes a delete final all the same: what was begun is finished before the next create", async () => {
    const before = await create(ADA);
    agent.engine.freeze("remove");
    expect(await command("delete-container", ADA)).toMatchObject(LATE);
    expect(await command("list-containers", ADA)).toMatchObject({ data: { containers: [] } });
    expect(await command("start-container", ADA)).toMatchObject({ error: { code: "NOT_FOUND" } });
    agent.engine.thaw();
    const after = await create(ADA);
    expect(after).toMatchObject({ success: true });
    expect(after.data).not.toMatchObject({ containerId: (before.data as { containerId: string }).containerId });
    expect(agent.engine.containers.size).toBe(1);
  });
});

it("a broken stream of events holds commands back until everything is listed anew, and refuses none", async () => {
  await create(ADA);
  agent.engine.breakEvents();
  expect(await command("list-containers", {})).toMatchObject({ success: true });
  expect(agent.logLines.join("")).not.toContain("Docker is not reachable");
});

it("a Docker that hangs altogether is known after the next sweep and told by the heartbeat, which goes on", async () => {
  await using swept = new AgentUnderTest({}, { engineDeadlines: DEADLINES, sweepEveryMs: 100 });
  await swept.start();
  swept.engine.freeze();
  const reachable = async () =>
    ((await swept.mainServer.nextReport("backend-status")) as BackendStatus).docker.reachable;
  await expect.poll(reachable, { timeout: 18_000 }).toBe(false);
  swept.engine.thaw();
}, 20_000);
