import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { EngineError } from "../engine/engine.ts";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

let agent: AgentUnderTest | undefined;
afterEach(() => agent?.[Symbol.asyncDispose]());

/** Longer than events are gathered. */
const GATHERED_MS = 400;

describe("what happens to a container", () => {
  it("at a command's word is not told as a person's, however late the Engine tells it", async () => {
    const { mainServer, engine } = await started();
    engine.eventDelayMs = 40;
    await mainServer.command("stop-container", { username: "ada" });
    await delay(60);
    // Later than the start's reply, also where that is slow.
    engine.eventDelayMs = 3_000;
    await mainServer.command("start-container", { username: "ada" });
    await delay(engine.eventDelayMs + GATHERED_MS);
    await expect.poll(() => causes(mainServer)).toEqual(["started"]);
  });

  it("by hand is told also where the next thing happens as soon as the one before is told", async () => {
    const { mainServer, engine } = await started();
    await mainServer.command("stop-container", { username: "ada" });
    const { id = "" } = (await engine.inspect("dockhost-ada")) ?? {};
    const told = mainServer.nextReport("container-changed");
    await engine.start(id);
    await told;
    await engine.stop(id);
    await expect.poll(() => causes(mainServer)).toEqual(["started", "stopped-by-hand"]);
  });

  it("by hand is told as soon as Docker says how the container is, where it did not at first", async () => {
    const { mainServer, engine } = await started();
    const { id = "" } = (await engine.inspect("dockhost-ada")) ?? {};
    const inspect = engine.inspect.bind(engine);
    let refused = 0;
    engine.inspect = (idOrName) => {
      refused += 1;
      return refused < 4 ? Promise.reject(new EngineError("timed-out", "no answer to 'inspect'")) : inspect(idOrName);
    };
    await engine.stop(id);
    await expect.poll(() => causes(mainServer), { timeout: 10_000 }).toEqual(["stopped-by-hand"]);
  });

  it("by hand is told as a death where it dies, also when it was stopped and started a moment before", async () => {
    const { mainServer, engine } = await started();
    const { id = "" } = (await engine.inspect("dockhost-ada")) ?? {};
    await engine.stop(id);
    await delay(8_000);
    await engine.start(id);
    await expect.poll(() => causes(mainServer)).toEqual(["stopped-by-hand", "started"]);
    await engine.die(id);
    const all = ["stopped-by-hand", "started", "died"];
    await expect.poll(() => causes(mainServer), { timeout: 10_000 }).toEqual(all);
  }, 30_000);

  it("by hand is told as it is", async () => {
    const { mainServer, engine } = await started();
    const { id = "" } = (await engine.inspect("dockhost-ada")) ?? {};
    await engine.stop(id);
    await expect.poll(() => causes(mainServer)).toEqual(["stopped-by-hand"]);
    await engine.start(id);
    await expect.poll(() => causes(mainServer)).toEqual(["stopped-by-hand", "started"]);
    await engine.remove(id);
    await expect.poll(() => causes(mainServer)).toEqual(["stopped-by-hand", "started", "removed-by-hand"]);
  });
});

async function started(): Promise<AgentUnderTest> {
  agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "23100-23198" });
  await agent.start();
  await agent.mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
  return agent;
}

const causes = ({ reports }: AgentUnderTest["mainServer"]): string[] =>
  reports.flatMap(({ name, payload }) =>
    name === "container-changed" ? [(payload as { cause: { kind: string } }).cause.kind] : [],
  );
