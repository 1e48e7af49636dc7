import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { AgentUnderTest, PUBLIC_KEY } from "../test/agent-under-test.ts";

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

it("a list of one user's container does not wait for Docker to tell what happens to another's", async () => {
  await using agent = new AgentUnderTest(SETTINGS);
  await startWithAdaAndBob(agent);
  const { mainServer, engine } = agent;
  await mainServer.command("list-containers", {});

  const bobs = await engine.inspect("dockhost-bob");
  const inspect = engine.inspect.bind(engine);
  let tell = (): void => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  engine.inspect = async (idOrName) => {
    if (idOrName === bobs?.id) await told;
    return inspect(idOrName);
  };
  await engine.stop(bobs?.id ?? "");
  const all = mainServer.command("list-containers", {});
  const { data } = await mainServer.command("list-containers", { username: "ada" });
  expect(data).toMatchObject({ containers: [{ username: "ada", state: "running" }] });
  tell();
  expect((await all).data).toMatchObject({ containers: [{ state: "running" }, { state: "stopped" }] });
});
