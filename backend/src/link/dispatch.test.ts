import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { COMMAND_NAMES, type ErrorCode } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

let agent: AgentUnderTest;
beforeAll(async () => {
  agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22200-22298" });
  await agent.start();
});
afterAll(() => agent[Symbol.asyncDispose]());
beforeEach(async () => {
  await agent.mainServer.command("delete-container", { username: "ada" });
  agent.engine.calls.length = 0;
});

describe("a payload", () => {
  it.each(COMMAND_NAMES)("of %s may be missing: the first argument is the callback then", async (command) => {
    const reply = (await agent.mainServer.backend.timeout(5_000).emitWithAck(command)) as {
      error?: { code: ErrorCode };
    };
    if (command === "list-containers") expect(reply).toMatchObject({ success: true });
    else expect(reply).toMatchObject({ success: false, error: { code: "INVALID_ARGUMENT" } });
  });
});

describe("a command without a callback", () => {
  it("is answered by command-result, which names the command and the operation", async () => {
    const { backend } = agent.mainServer;
    const operationId = "2b9f6a4e-6a2f-4e53-9d7f-0f4f4a1c1f11";
    const result = once(backend, "command-result");
    backend.emit("start-container", { username: "nobody", operationId });
    const [reply] = (await result) as unknown[];
    expect(reply).toMatchObject({
      command: "start-container",
      operationId,
      success: false,
      error: { code: "NOT_FOUND", retryable: false },
    });
  });
});

describe("a create", () => {
  it("tells each phase in its order, with its operation", async () => {
    agent.mainServer.reports.length = 0;
    const operationId = "6f1c1f5e-0f57-4a8e-8d2c-4a3a1d3f5b77";
    await agent.mainServer.command("create-container", { username: "ada", sshPublicKey: PUBLIC_KEY, operationId });
    const progress = agent.mainServer.reports.filter(({ name }) => name === "operation-progress");
    expect(progress.map(({ payload }) => payload)).toEqual(
      ["allocating-ports", "creating", "starting", "waiting-for-ssh"].map((phase) => ({
        operationId,
        username: "ada",
        phase,
      })),
    );
  });

  it("tells how far it has come before it is answered, however soon that is", async () => {
    await using full = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "23200-23202" });
    await full.start();
    const { mainServer } = full;
    for (const username of ["ada", "eve"]) {
      await mainServer.command("create-container", { username, sshPublicKey: PUBLIC_KEY });
    }
    const told = mainServer.reports.filter(({ name }) => name === "operation-progress");
    expect(told.at(-1)?.payload).toMatchObject({ username: "eve", phase: "allocating-ports" });
  });

  it("refuses one key and several keys together, and neither", async () => {
    const both = { username: "ada", sshPublicKey: PUBLIC_KEY, sshPublicKeys: [PUBLIC_KEY] };
    expect(await emit("create-container", both)).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
    expect(await emit("create-container", { username: "ada" })).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
  });

  it("says INVALID_KEY of any string that is no key, and INVALID_ARGUMENT of what is no string", async () => {
    for (const sshPublicKey of ["", "x", `${PUBLIC_KEY}\n\n`, `${PUBLIC_KEY}\r`]) {
      const reply = await emit("create-container", { username: "ada", sshPublicKey });
      expect(reply).toMatchObject({ error: { code: "INVALID_KEY" } });
    }
    for (const sshPublicKey of [1, null, {}, [PUBLIC_KEY]]) {
      const reply = await emit("create-container", { username: "ada", sshPublicKey });
      expect(reply).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
    }
  });
});

describe("a backend that is told to end", () => {
  it("answers every command under way before its connection goes", async () => {
    await using leaving = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "22600-22698" });
    await leaving.start();
    const users = ["a", "b", "c", "d", "e", "f"];
    const replies = Promise.all(
      users.map((username) => {
        const request = { username, sshPublicKey: PUBLIC_KEY, operationId: randomUUID() };
        return leaving.mainServer.command("create-container", request);
      }),
    );
    const begun = () => leaving.mainServer.reports.some(({ name }) => name === "operation-progress");
    await expect.poll(begun, { interval: 1 }).toBe(true);
    await leaving.stopAgent();
    for (const reply of await replies) expect(reply).toMatchObject({ success: true });
  });
});

const emit = (command: string, payload: unknown): Promise<unknown> =>
  agent.mainServer.backend.timeout(5_000).emitWithAck(command, payload) as Promise<unknown>;
