import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { COMMAND_NAMES, parseReply, type CommandName } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../../test/agent-under-test.ts";

/** Something sent that means nothing, or nothing whole. */
interface Nonsense {
  event: string;
  payload: unknown;
  /** The username whose event has to tell the refusal; undefined: none may. */
  toldTo?: string | undefined;
}

const V2_EVENTS =
  "start_container stop_container resume_container delete_container check_if_container_exists check_if_container_running";
const CASES = 10_000;
/** Sent together; their replies come in any order. */
const AT_ONCE = 25;

let agent: AgentUnderTest;
beforeAll(async () => {
  // Heartbeats and sweeps ask the Engine too; without them every call is a command's.
  vi.useFakeTimers({ toFake: ["setInterval"] });
  agent = new AgentUnderTest({ DOCKHOST_PORT_RANGE: "23000-23098" }, { sweepEveryMs: 3_600_000 });
  await agent.start();
  await quiet();
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  vi.useRealTimers();
});

describe("any value to any event of both dialects", () => {
  it("is answered with a code, or in silence where the older dialect says so, and reaches no Engine", async () => {
    agent.engine.calls.length = 0;
    const many = fc.array(fc.oneof(command(), v2Event()), { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(many, async (nonsense) => {
        agent.mainServer.reports.length = 0;
        await Promise.all(nonsense.map(send));
        const heard = agent.mainServer.reports.map(({ name }) => name).sort();
        const due = nonsense.flatMap(({ toldTo }) => toldTo ?? []).sort();
        expect(heard).toEqual(due);
        for (const { payload } of agent.mainServer.reports) expect(payload).toMatchObject(V2_REFUSAL);
        expect(agent.engine.calls).toEqual([]);
      }),
      { numRuns: CASES / AT_ONCE },
    );
  }, 300_000);
});

/** Until the agent has told all that it tells at its start, and has tried its Engine out. */
async function quiet(): Promise<void> {
  for (let calls = -1; calls !== agent.engine.calls.length;) {
    calls = agent.engine.calls.length;
    await delay(600);
  }
}

const V2_REFUSAL = { status: 400, success: false, message: expect.any(String) as string };

/** Each with a callback, so that it is known when it has been answered, also where that is done in silence. */
async function send({ event, payload }: Nonsense): Promise<void> {
  const reply: unknown = await agent.mainServer.backend.timeout(10_000).emitWithAck(event, payload);
  if (!isCommand(event)) {
    expect(reply).toEqual(V2_REFUSAL);
    return;
  }
  const refusal = { success: false, data: null, error: { retryable: false } };
  expect(parseReply(event, reply)).toMatchObject(refusal);
  expect((reply as { error: { code: string } }).error.code).toMatch(/^INVALID_(ARGUMENT|KEY)$/);
}

const isCommand = (event: string): event is CommandName => (COMMAND_NAMES as string[]).includes(event);

const anything = () =>
  fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>("", 0, -1, 1e308, "1024", [], {}, { length: 1 }, [[]], "\u0000"));

/** Strings that the contract's pattern for usernames does not match. */
const badUsername = () =>
  fc.oneof(
    fc.string({ unit: "binary" }).filter((text) => !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text)),
    fc.constantFrom("a b", "a;b", "a\nb", "ada\n", "../ada", "-rf", "$(reboot)", "x".repeat(64), "__proto__", "ä"),
  );
const goodUsername = () => fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/).map((text) => `u${text}`);
const notAString = () => anything().filter((value) => typeof value !== "string");

/** Whatever has none of the fields that a request needs. */
const noRequest = (field: string) =>
  anything().filter((value) => value === null || typeof value !== "object" || !(field in value));

function command(): fc.Arbitrary<Nonsense> {
  const name = fc.constantFrom(...COMMAND_NAMES);
  return name.chain((event) => {
    if (event === "set-draining") {
      const notBoolean = anything().filter((value) => typeof value !== "boolean");
      return payloadOf(event, fc.oneof(noRequest("draining"), fc.record({ draining: notBoolean })));
    }
    const unnamed = fc.record({ username: fc.oneof(badUsername(), notAString()), sshPublicKey: anything() });
    if (event === "list-containers") {
      const notAnObject = anything().filter(
        (value) => value !== null && (typeof value !== "object" || Array.isArray(value)),
      );
      return payloadOf(event, fc.oneof(notAnObject, unnamed));
    }
    const named = fc.record({ username: goodUsername(), operationId: fc.oneof(notAString(), fc.string()) });
    const keyless = fc.record({ username: goodUsername(), sshPublicKey: anything(), sshPublicKeys: anything() });
    const keyed = event === "create-container" || event === "set-ssh-keys" ? [keyless] : [];
    return payloadOf(event, fc.oneof(noRequest("username"), unnamed, named, ...keyed));
  });
}

const payloadOf = (event: string, payload: fc.Arbitrary<unknown>): fc.Arbitrary<Nonsense> =>
  payload.map((value) => ({ event, payload: value }));

function v2Event(): fc.Arbitrary<Nonsense> {
  const eventNames = fc.constantFrom(
    ...V2_EVENTS.split(" "),
    ...COMMAND_NAMES,
    "disconnect",
    "newListener",
    "inventory",
  );
  const unnamed = fc.record({
    USERNAME: fc.oneof(badUsername(), notAString(), eventNames),
    SSH_PUB_KEY: fc.oneof(anything(), fc.constant(PUBLIC_KEY)),
    startingPortNo: fc.oneof(anything(), fc.integer()),
  });
  const silent = fc
    .tuple(fc.constantFrom(...V2_EVENTS.split(" ")), fc.oneof(noRequest("USERNAME"), unnamed))
    .map(([event, payload]) => ({ event, payload }));
  const badPort = fc.oneof(
    notAString().filter((value) => typeof value !== "number"),
    fc.constantFrom("1024", "4096; reboot", "$(reboot)"),
    fc.oneof(fc.integer({ max: 1_023 }), fc.integer({ min: 65_534 }), fc.double({ min: 1_024.1, max: 1_024.9 })),
  );
  const start = (SSH_PUB_KEY: fc.Arbitrary<unknown>, startingPortNo: fc.Arbitrary<unknown>) =>
    fc
      .record({ USERNAME: goodUsername(), SSH_PUB_KEY, startingPortNo })
      .map((payload) => ({ event: "start_container", payload, toldTo: payload.USERNAME }));
  return fc.oneof(silent, start(fc.constant(PUBLIC_KEY), badPort), start(anything(), fc.constant(1_024)));
}
