import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BackendStatus, Container } from "@dockhost/protocol";
import { canBind } from "./port-triples.ts";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

const FIRST = 22_500;
const SETTINGS = { DOCKHOST_PORT_RANGE: `${FIRST}-${FIRST + 59}`, DOCKHOST_WARM_POOL: "2" };

let agent: AgentUnderTest;
beforeEach(async () => {
  agent = new AgentUnderTest(SETTINGS);
  await agent.start();
  await expect.poll(spareBases).toEqual([FIRST, FIRST + 3]);
  // Made is not started yet.
  await expect.poll(() => spares().map(({ state }) => state)).toEqual(["running", "running"]);
});
afterEach(() => agent[Symbol.asyncDispose]());

const spares = () => [...agent.engine.containers.values()].filter(({ name }) => name.startsWith("dockhost.slot."));
const spareBases = () =>
  spares()
    .flatMap(({ spec }) => spec.ports[22] ?? [])
    .sort();

async function create(username: string, request: object = {}): Promise<Container> {
  const reply = await agent.mainServer.command("create-container", { username, sshPublicKey: PUBLIC_KEY, ...request });
  expect(reply).toMatchObject({ success: true });
  return reply.data as Container;
}

/** Reading, and what the pool does meanwhile to be full again. */
const NOT_THE_CLAIM = ["inspect", "image", "network", "list", "create", "start"];

/** What a claim makes Docker do. */
async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  const before = agent.engine.calls.length;
  await work();
  return agent.engine.calls.slice(before).filter((call) => !NOT_THE_CLAIM.includes(call));
}

describe("a container that was made ahead", () => {
  it("is claimed by the next create, at the lowest triple, by its name and its key alone", async () => {
    const [first] = spares();
    const calls = await callsOf(async () => {
      expect(await create("ada")).toMatchObject({ containerId: first?.id, ports: { ssh: FIRST } });
    });
    expect(calls[0]).toBe("rename");
    expect(first?.name).toBe("dockhost-ada");
    const slot = first?.labels["dockhost.slot"] ?? "";
    expect((await readdir(join(agent.dataDirectory, "slots", slot, "keys"))).sort()).toEqual(["authorized_keys"]);
    await expect.poll(spareBases).toEqual([FIRST + 3, FIRST + 6]);
  });

  it("is told to nobody as a user's, and counted apart", async () => {
    const usage = async () => {
      const told = agent.mainServer.nextReport("backend-status");
      await agent.mainServer.command("set-draining", { draining: false });
      return ((await told) as BackendStatus).usage;
    };
    await expect.poll(usage).toMatchObject({ containers: 0, running: 0, warmSlots: 2 });
    const { data } = await agent.mainServer.command("list-containers", {});
    expect(data).toEqual({ containers: [] });
  });

  it("gets the limits of the request before its name", async () => {
    const calls = await callsOf(() => create("ada", { limits: { memoryMiB: 64 } }));
    expect(calls.slice(0, 2)).toEqual(["update", "rename"]);
    const container = [...agent.engine.containers.values()].find(({ name }) => name === "dockhost-ada");
    expect(container?.spec).toMatchObject({ memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 512 });
  });

  it("gives way where the request needs another one, which gets its triple", async () => {
    const [first] = spares();
    expect(await create("ada", { limits: { diskMiB: 100 } })).toMatchObject({ ports: { ssh: FIRST } });
    expect(agent.engine.containers.has(first?.id ?? "")).toBe(false);
  });

  it("gives way where the image has been made anew since", async () => {
    agent.engine.images.set("dockhost/instance:latest", {
      id: "sha256:newer",
      labels: { "dockhost.keys": "/etc/dockhost/keys" },
    });
    const [first] = spares();
    expect((await create("ada")).containerId).not.toBe(first?.id);
    expect(agent.engine.containers.has(first?.id ?? "")).toBe(false);
  });

  it("that somebody has removed or stopped by hand costs its claimant nothing but time", async () => {
    const [first, second] = spares();
    await agent.engine.remove(first?.id ?? "");
    await agent.engine.stop(second?.id ?? "");
    expect(await create("ada")).toMatchObject({ state: "running" });
    expect(await create("bob")).toMatchObject({ state: "running" });
  });
});

describe("the triples of containers made ahead", () => {
  it("count as free: who comes gets the lowest, also where it has just become free", async () => {
    await create("ada");
    await expect.poll(spareBases).toEqual([FIRST + 3, FIRST + 6]);
    await agent.mainServer.command("delete-container", { username: "ada" });
    expect(await create("bob")).toMatchObject({ ports: { ssh: FIRST } });
  });

  it("count as free from the moment at which the pool looks at them", async () => {
    let goOn = (): void => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    const looked: number[] = [];
    const portProbe = (port: number) => {
      looked.push(port);
      return mayGoOn.then(() => canBind(port));
    };
    const [first, last] = [FIRST + 60, FIRST + 98];
    const settings = { DOCKHOST_PORT_RANGE: `${first}-${last}`, DOCKHOST_WARM_POOL: "1" };
    await using slow = new AgentUnderTest(settings, { portProbe });
    await slow.start();
    await expect.poll(() => looked).toEqual([first]);
    const created = slow.mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY });
    await slow.mainServer.nextReport("operation-progress");
    goOn();
    expect(await created).toMatchObject({ success: true, data: { ports: { ssh: first } } });
  });

  it("are the lowest again when nobody asks for anything", async () => {
    await create("ada");
    await expect.poll(spareBases).toEqual([FIRST + 3, FIRST + 6]);
    await agent.mainServer.command("delete-container", { username: "ada" });
    await expect.poll(spareBases, { timeout: 8_000 }).toEqual([FIRST, FIRST + 3]);
  });

  it("go to as many as come at once, each to one, and what is missing is made", async () => {
    const users = Array.from({ length: 6 }, (_, index) => `user${index}`);
    const bases = (await Promise.all(users.map((user) => create(user)))).map(({ ports }) => ports.ssh);
    expect(bases.sort()).toEqual([0, 3, 6, 9, 12, 15].map((step) => FIRST + step));
    // A burst makes the pool larger for a while.
    await expect.poll(() => spares().length, { timeout: 8_000 }).toBe(6);
  });
});

describe("the pool", () => {
  it("is gone while the backend drains, and comes back after it", async () => {
    await agent.mainServer.command("set-draining", { draining: true });
    await expect.poll(() => spares(), { timeout: 8_000 }).toEqual([]);
    await agent.mainServer.command("set-draining", { draining: false });
    await expect.poll(() => spares().length, { timeout: 8_000 }).toBe(2);
  });

  it("is gone when the backend has ended", async () => {
    await agent.stopAgent();
    expect(agent.engine.containers.size).toBe(0);
    expect(await readdir(join(agent.dataDirectory, "slots"))).toEqual([]);
  });

  it.each([
    ["memory", { memoryMiB: 1023, freeMiB: 4096 }],
    ["disk", { memoryMiB: 1024, freeMiB: 4095 }],
  ])("makes none while there is less than twice the %s that a create needs, and does when there is", async (_, low) => {
    let left = low;
    const host = {
      memoryAvailableMiB: () => left.memoryMiB,
      disk: () => Promise.resolve({ freeMiB: left.freeMiB, totalMiB: 81_920 }),
    };
    const settings = { DOCKHOST_PORT_RANGE: `${FIRST + 60}-${FIRST + 98}`, DOCKHOST_WARM_POOL: "1" };
    await using narrow = new AgentUnderTest(settings, { host });
    await narrow.start();
    const made = () => [...narrow.engine.containers.values()].filter(({ name }) => name.startsWith("dockhost.slot."));
    // Longer than it takes the pool to look once more.
    await delay(2_500);
    expect(made()).toEqual([]);
    left = { memoryMiB: 1024, freeMiB: 4096 };
    await expect.poll(made).toHaveLength(1);
  });

  it("never takes the last triple from a user", async () => {
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
    for (const user of users) await create(user);
    expect(spares()).toEqual([]);
  });
});

it("what a killed backend left serves again where it is as new, and goes where it is somebody's in part", async () => {
  const kept = spares();
  const [blank, keyed] = kept;
  agent.engine.goAway();
  await agent.stopAgent();
  agent.engine.comeBack();
  expect(spares()).toEqual(kept);
  const keyedSlot = keyed?.labels["dockhost.slot"] ?? "";
  const [blankDirectory, keyedDirectory] = [blank?.labels["dockhost.slot"] ?? "", keyedSlot].map((slot) =>
    join(agent.dataDirectory, "slots", slot, "keys"),
  );
  await mkdir(blankDirectory ?? "", { recursive: true });
  await mkdir(join(keyedDirectory ?? "", "authorized_keys"), { recursive: true });
  await agent.startAgent();
  await expect.poll(() => spares().length, { timeout: 8_000 }).toBe(2);
  expect(spares().map(({ id }) => id)).toContain(blank?.id);
  expect(spares().map(({ id }) => id)).not.toContain(keyed?.id);
});
