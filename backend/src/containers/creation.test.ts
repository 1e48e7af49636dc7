import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";
import type { MainServerDouble } from "../../test/main-server-double.ts";
import { EngineError } from "../engine/engine.ts";

let agent: AgentUnderTest | undefined;
afterEach(() => agent?.[Symbol.asyncDispose]());

const roomy = {
  memoryAvailableMiB: () => 4096,
  disk: () => Promise.resolve({ freeMiB: 40_960, totalMiB: 81_920 }),
};

describe("a create is refused with CAPACITY, saying which,", () => {
  it.each([
    ["below 512 MiB of available memory", { ...roomy, memoryAvailableMiB: () => 511 }, "511 MiB of memory"],
    [
      "below 2 GiB of free disk",
      { ...roomy, disk: () => Promise.resolve({ freeMiB: 2047, totalMiB: 81_920 }) },
      "2047 MiB of disk",
    ],
  ])("%s", async (_, host, words) => {
    const { mainServer, engine } = await started({}, { host });
    const reply = await mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
    expect(reply).toMatchObject({ success: false, error: { code: "CAPACITY", retryable: true } });
    expect(reply.message).toContain(words);
    expect(engine.containers.size).toBe(0);
  });

  it("at the ceiling, also where many come at once", async () => {
    const { mainServer, engine } = await started({ DOCKHOST_MAX_CONTAINERS: "3" }, { host: roomy });
    const users = ["a", "b", "c", "d", "e", "f"];
    const replies = await Promise.all(
      users.map((username) => mainServer.command("create-container", { username, sshPublicKey: PUBLIC_KEY })),
    );
    expect(replies.filter(({ success }) => success)).toHaveLength(3);
    for (const reply of replies.filter(({ success }) => !success)) {
      expect(reply).toMatchObject({ error: { code: "CAPACITY" } });
      expect(reply.message).toContain("DOCKHOST_MAX_CONTAINERS");
    }
    expect(engine.containers.size).toBe(3);
  });
});

describe("a create that fails half way", () => {
  it("is counted no longer", async () => {
    const { mainServer, engine } = await started({ DOCKHOST_MAX_CONTAINERS: "1" }, { host: roomy });
    const ensureIsolatedBridge = engine.ensureIsolatedBridge.bind(engine);
    engine.ensureIsolatedBridge = () => Promise.reject(new EngineError("other", "no bridge"));
    const refused = await mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
    expect(refused).toMatchObject({ success: false, error: { code: "INTERNAL" } });
    engine.ensureIsolatedBridge = ensureIsolatedBridge;
    const next = await mainServer.command("create-container", { username: "bob", sshPublicKey: PUBLIC_KEY });
    expect(next).toMatchObject({ success: true });
  });

  it("leaves nothing: no container, no directory, no port held", async () => {
    const { mainServer, engine } = await started({}, { host: roomy });
    await engine.create("dockhost-ada", { labels: {}, ports: {} } as never);
    const refused = await mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
    expect(refused).toMatchObject({ success: false, error: { code: "CONFLICT" } });
    expect(engine.containers.size).toBe(1);
    const next = await mainServer.command("create-container", { username: "bob", sshPublicKey: PUBLIC_KEY });
    expect(next).toMatchObject({ success: true, data: { ports: { ssh: 22300 } } });
  });
});

it("a create and a list go on while Docker starts another's container and tells nothing of it", async () => {
  const { mainServer, engine } = await started({}, { host: roomy });
  // The first create waits until the Engine has been tried out, with a container that is not to be held.
  await mainServer.command("create-container", { username: "eve", sshPublicKey: PUBLIC_KEY });
  const start = engine.start.bind(engine);
  const inspect = engine.inspect.bind(engine);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let starting: string | undefined;
  engine.start = async (id) => {
    starting ??= id;
    if (id === starting) await held;
    return start(id);
  };
  engine.inspect = async (id) => {
    if (id === starting) await held;
    return inspect(id);
  };
  const ada = mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
  await expect.poll(() => starting).toBeDefined();
  // Until what happened to the one that is being started would have been looked at.
  await delay(200);
  const bob = await mainServer.command("create-container", { username: "bob", sshPublicKey: PUBLIC_KEY });
  expect(bob).toMatchObject({ success: true });
  expect(await usersListed(mainServer)).toEqual(["bob", "eve"]);
  release();
  expect(await ada).toMatchObject({ success: true });
  expect(await usersListed(mainServer)).toEqual(["ada", "bob", "eve"]);
});

async function usersListed(mainServer: MainServerDouble): Promise<string[]> {
  const reply = await mainServer.command("list-containers", {});
  return reply.success ? reply.data.containers.map(({ username }) => username).toSorted() : [reply.message];
}

async function started(...options: ConstructorParameters<typeof AgentUnderTest>): Promise<AgentUnderTest> {
  const [settings = {}, overrides] = options;
  agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22300-22398", ...settings }, overrides);
  await agent.start();
  return agent;
}
