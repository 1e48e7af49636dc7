import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Container } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

const ADA = { username: "ada" };
/** As long as a stop may still turn out to be the Engine's own, ms. */
const STOP_DOUBT_MS = 10_000;

it("a stop that the Engine tells before it goes is its own, also where the container does not start at once", async () => {
  await using agent = new AgentUnderTest(
    { DOCKHOST_PORT_RANGE: "22902-22904" },
    { sweepEveryMs: 100, engineRetryMs: { first: 20, last: 50 } },
  );
  await agent.start();
  const created = await agent.mainServer.command("create-container", { ...ADA, sshPublicKey: PUBLIC_KEY });
  const { containerId, ports } = created.data as Container;
  await agent.engine.stop(containerId);
  const thief = createServer().listen(ports.ssh, "127.0.0.1");
  await once(thief, "listening");
  await delay(300);
  agent.engine.breakEvents();
  await delay(STOP_DOUBT_MS + 500);
  thief.close();
  const { engine } = agent;
  await expect.poll(async () => (await engine.inspect(containerId))?.state, { timeout: 4_000 }).toBe("running");
}, 20_000);

it("a container that should run and cannot, since its port is taken, runs at its own ports once that is free", async () => {
  await using agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22899-22901" }, { sweepEveryMs: 100 });
  await agent.start();
  const state = async () => {
    const { data } = await agent.mainServer.command("list-containers", ADA);
    return (data as { containers: Container[] }).containers[0]?.state;
  };
  const created = await agent.mainServer.command("create-container", { ...ADA, sshPublicKey: PUBLIC_KEY });
  const { containerId, ports } = created.data as Container;
  await agent.stopAgent();
  await agent.engine.stop(containerId);
  const thief = createServer().listen(ports.ssh, "127.0.0.1");
  await once(thief, "listening");

  await agent.startAgent();
  expect(await state()).toBe("stopped");
  thief.close();
  await expect.poll(state, { timeout: 4_000 }).toBe("running");
  expect(agent.logLines.filter((line) => line.includes("did not start"))).toHaveLength(1);
});

it("what a command stopped while Docker was going down rests again, though Docker runs it when it is back", async () => {
  await using agent = new AgentUnderTest(
    { DOCKHOST_PORT_RANGE: "22941-22943" },
    { engineRetryMs: { first: 20, last: 50 } },
  );
  await agent.start();
  const { engine } = agent;
  const containerId = await createStopped(agent);
  engine.goAway();
  await delay(50);
  engine.comeBack();
  await engine.start(containerId);
  await expect.poll(async () => (await engine.inspect(containerId))?.state, { timeout: 4_000 }).toBe("exited");
  expect(agent.logLines.join("")).toContain("Stopped a container again");
});

it("what was started by hand while no backend ran goes on running, where its user had stopped it long before", async () => {
  await using agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22944-22946" });
  await agent.start();
  const containerId = await createStopped(agent);
  await agent.stopAgent();
  const [slot = ""] = await readdir(join(agent.dataDirectory, "slots"));
  const path = join(agent.dataDirectory, "slots", slot, "claim.json");
  const claim = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...claim, stoppedAt: new Date(Date.now() - 3_600_000).toISOString() }));
  await agent.engine.start(containerId);
  await agent.startAgent();
  const { data } = await agent.mainServer.command("list-containers", ADA);
  expect(data).toMatchObject({ containers: [{ state: "running" }] });
});

async function createStopped({ mainServer }: AgentUnderTest): Promise<string> {
  const created = await mainServer.command("create-container", { ...ADA, sshPublicKey: PUBLIC_KEY });
  await mainServer.command("stop-container", ADA);
  return (created.data as Container).containerId;
}
