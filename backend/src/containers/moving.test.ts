import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Container } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

const ADA = { username: "ada" };

let agent: AgentUnderTest;
let thief: Server | undefined;
beforeEach(async () => {
  agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22800-22805" });
  await agent.start();
});
afterEach(async () => {
  thief?.close();
  await agent[Symbol.asyncDispose]();
});

describe("a stopped container whose port another process has taken", () => {
  it("starts at a free triple, with its keys, its limits and its first image's name, and tells its new ports", async () => {
    const before = await create({ limits: { memoryMiB: 128 } });
    await steal(before.ports.ssh);
    const { data } = await agent.mainServer.command("start-container", ADA);
    expect(data).toMatchObject({ ...ADA, state: "running", image: before.image, createdAt: before.createdAt });
    expect(data).toMatchObject({ ports: { ssh: 22_803, http: 22_804, https: 22_805 } });
    expect(changedPorts()).toContain(22_803);
    expect(only().spec).toMatchObject({ memoryBytes: 128 * 1024 ** 2, ports: { 22: 22_803 } });
    expect(only().name).toBe("dockhost-ada");
    expect(await slots()).toHaveLength(1);
  });

  it("takes its image with it when it is deleted, and its triples are free", async () => {
    const { ports } = await create();
    await steal(ports.ssh);
    await agent.mainServer.command("start-container", ADA);
    expect(movedImages()).toHaveLength(1);
    await agent.mainServer.command("delete-container", ADA);
    expect(movedImages()).toEqual([]);
    expect(await slots()).toEqual([]);
    thief?.close();
    expect((await create()).ports.ssh).toBe(22_800);
  });

  it("moves again when that happens again, and leaves one image at most", async () => {
    const { ports } = await create();
    await steal(ports.ssh);
    await agent.mainServer.command("start-container", ADA);
    await agent.mainServer.command("stop-container", ADA);
    thief?.close();
    await steal(22_803);
    expect((await agent.mainServer.command("start-container", ADA)).data).toMatchObject({ ports: { ssh: 22_800 } });
    expect(movedImages()).toHaveLength(1);
    expect(await slots()).toHaveLength(1);
  });

  it("stays as it is where there is no free triple, and its user hears which port it is and why", async () => {
    const { ports } = await create();
    await agent.mainServer.command("create-container", { username: "bob", sshPublicKey: PUBLIC_KEY });
    await steal(ports.ssh);
    const refused = await agent.mainServer.command("start-container", ADA);
    expect(refused).toMatchObject({ success: false, error: { code: "PORT_CONFLICT" } });
    expect(refused.message).toMatch(/22800 is held by .* \(pid \d+\).*No three consecutive ports are free/);
    expect(movedImages()).toEqual([]);
    thief?.close();
    expect(await agent.mainServer.command("start-container", ADA)).toMatchObject({ success: true, data: { ports } });
  });

  it("that was undone while Docker still made its image leaves no image", async () => {
    const { ports } = await create();
    await steal(ports.ssh);
    agent.engine.loseReplyOf("commit");
    const lost = await agent.mainServer.command("start-container", ADA);
    expect(lost).toMatchObject({ success: false, error: { code: "PORT_CONFLICT" } });
    await expect.poll(movedImages).toHaveLength(1);
    agent.engine.images.set("dockhost/moved:another-backends", { id: "sha256:x", labels: {} });
    await agent.stopAgent();
    await agent.startAgent();
    expect(movedImages()).toEqual(["dockhost/moved:another-backends"]);
  });

  it("leaves no image either where Docker has died before it gave it its name", async () => {
    const { labels } = (await create(), only());
    agent.engine.images.set("sha256:nameless", { id: "sha256:nameless", labels });
    await agent.stopAgent();
    await agent.startAgent();
    expect([...agent.engine.images.keys()]).toEqual(["dockhost/instance:latest"]);
  });

  it("stays as it is where some of its files lie in a volume", async () => {
    const { ports } = await create();
    only().hasVolumes = true;
    await steal(ports.ssh);
    const refused = await agent.mainServer.command("start-container", ADA);
    expect(refused).toMatchObject({ success: false, error: { code: "PORT_CONFLICT" } });
    expect(refused.message).toContain("volumes");
  });
});

async function create(more: object = {}): Promise<Container> {
  const reply = await agent.mainServer.command("create-container", { ...ADA, sshPublicKey: PUBLIC_KEY, ...more });
  await agent.mainServer.command("stop-container", ADA);
  return reply.data as Container;
}

/** Another process of the machine, which happens to be this one. */
async function steal(port: number): Promise<void> {
  thief = createServer().listen(port, "127.0.0.1");
  await once(thief, "listening");
}

function only() {
  const [container, ...others] = agent.engine.containers.values();
  expect(others).toEqual([]);
  if (!container) throw new Error("there is no container");
  return container;
}

const slots = () => readdir(join(agent.dataDirectory, "slots"));
const movedImages = () => [...agent.engine.images.keys()].filter((name) => name.startsWith("dockhost/moved:"));
const changedPorts = () =>
  agent.mainServer.reports.flatMap(({ name, payload }) =>
    name === "container-changed" ? [(payload as { container: Container }).container.ports.ssh] : [],
  );
