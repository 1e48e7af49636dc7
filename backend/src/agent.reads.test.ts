import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { AgentUnderTest, PUBLIC_KEY } from "../test/agent-under-test.ts";
import type { EngineDouble } from "../test/engine-double.ts";

const SETTINGS = { DOCKHOST_PORT_RANGE: "22905-22940" };

/** At work, with a container for each of them. */
async function startWithAdaAndBob(agent: AgentUnderTest): Promise<void> {
  await agent.start();
  for (const username of ["ada", "bob"]) {
    await agent.mainServer.command("create-container", { username, sshPublicKey: PUBLIC_KEY });
  }
}

it("a list, a status and an inventory cost Docker no call", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;
  await mainServer.command("stop-container", { username: "bob" });
  await mainServer.command("list-containers", {});

  // Its processors are told of once they have been looked at for a second.
  await setTimeout(1_000);
  engine.calls.length = 0;
  const { data } = await mainServer.command("list-containers", {});
  expect(data).toMatchObject({ containers: [{ state: "running" }, { state: "stopped", exitCode: 0 }] });
  const told = mainServer.nextReport("backend-status");
  await mainServer.command("set-draining", { draining: true });
  expect(await told).toMatchObject({
    usage: { containers: 2, running: 1, cpuPercent: expect.any(Number) as number },
    capacity: { diskMiB: expect.any(Number) as number },
    docker: { reachable: true },
  });
  expect(engine.calls).toEqual([]);
});

it("a create asks Docker nothing about a user who is known to have no container, nor about the one that it makes", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;
  await mainServer.command("list-containers", {});

  const rename = engine.rename.bind(engine);
  // Longer than what happens to a container is gathered before it is looked at.
  engine.rename = (...call) => setTimeout(300).then(() => rename(...call));
  engine.calls.length = 0;
  await mainServer.command("create-container", { username: "cyd", sshPublicKey: PUBLIC_KEY });
  const untilNamed = engine.calls.slice(0, engine.calls.indexOf("rename"));
  expect(untilNamed).toContain("start");
  expect(untilNamed).not.toContain("inspect");
});

it("a create finds that its user's container was removed by hand, which Docker has not told yet", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;

  engine.eventDelayMs = 2_000;
  await engine.remove("dockhost-ada");
  const again = await mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
  expect(again).toMatchObject({ success: true, data: { username: "ada", state: "running" } });
});

it("a create that follows another at once finds its container, whoever else reads meanwhile", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await agent.start();
  const { mainServer, engine } = agent;
  engine.eventDelayMs = 30;
  const inspect = engine.inspect.bind(engine);
  engine.inspect = (idOrName) => setTimeout(50).then(() => inspect(idOrName));
  const request = { username: "ada", sshPublicKey: PUBLIC_KEY };
  const reads: Promise<unknown>[] = [];
  const reading = setInterval(() => reads.push(mainServer.command("list-containers", {})), 5);
  const creates = Array.from({ length: 3 }, () => mainServer.command("create-container", request));
  const replies = await Promise.all(creates);
  clearInterval(reading);
  await Promise.all(reads);
  const refused = replies.flatMap((reply) => (reply.success ? [] : [reply.error.code]));
  expect(refused).toEqual(["ALREADY_EXISTS", "ALREADY_EXISTS"]);
});

it("a list of one user's container does not wait for Docker to tell what happens to another's", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;
  await mainServer.command("list-containers", {});

  const bobs = await engine.inspect("dockhost-bob");
  const looksAtBobs = holdLooks(engine, (idOrName) => idOrName === bobs?.id);
  await engine.stop(bobs?.id ?? "");
  const all = mainServer.command("list-containers", {});
  const { data } = await mainServer.command("list-containers", { username: "ada" });
  expect(data).toMatchObject({ containers: [{ username: "ada", state: "running" }] });
  looksAtBobs.end();
  expect((await all).data).toMatchObject({ containers: [{ state: "running" }, { state: "stopped" }] });
});

it("nor for one that was made for another just now and was never looked at", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;
  await mainServer.command("list-containers", {});

  const before = [...engine.containers.keys()];
  const looksAtNew = holdLooks(engine, (idOrName) => engine.containers.has(idOrName) && !before.includes(idOrName));
  await mainServer.command("create-container", { username: "cyd", sshPublicKey: PUBLIC_KEY });
  const all = mainServer.command("list-containers", {});
  const { data } = await mainServer.command("list-containers", { username: "ada" });
  expect(data).toMatchObject({ containers: [{ username: "ada", state: "running" }] });
  looksAtNew.end();
  expect((await all).data).toMatchObject({ containers: [{}, {}, { username: "cyd", state: "running" }] });
});

/** Docker answers no look at `which` until that is ended. */
function holdLooks(engine: EngineDouble, which: (idOrName: string) => boolean): { end: () => void } {
  const inspect = engine.inspect.bind(engine);
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  engine.inspect = async (idOrName) => {
    if (which(idOrName)) await ended;
    return inspect(idOrName);
  };
  return { end };
}
