import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandName, Container, Reply } from "@dockhost/protocol";
import { AgentUnderTest, PUBLIC_KEY } from "../test/agent-under-test.ts";

/** What should be true, kept by the rules of the contract alone. */
interface Model {
  /** By user: whether the container should run. */
  containers: Map<string, boolean>;
}

type Changing = "create-container" | "start-container" | "stop-container" | "delete-container";
type Step = fc.AsyncCommand<Model, AgentUnderTest>;

const USERS = ["ada", "bob", "cy"];

let agent: AgentUnderTest;
/** Nothing is made ahead, so every call is a command's. */
let isAlone: boolean;

describe.each(["0", "2"])("the command state machine with %s containers made ahead", (warmPool) => {
  beforeAll(async () => {
    isAlone = warmPool === "0";
    const settings = { DOCKHOST_PORT_RANGE: "22000-22098", DOCKHOST_WARM_POOL: warmPool };
    agent = new AgentUnderTest(settings, { engineRetryMs: { first: 2, last: 2 } });
    await agent.start();
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  it("does what the contract says in any order, across restarts and repeats", async () => {
    const user = fc.constantFrom(...USERS);
    const commands = [
      fc.tuple(changing(), user).map(([name, username]) => new Change(name, username)),
      fc.tuple(changing(), user).map(([name, username]) => new Repeat(name, username)),
      fc.tuple(user, fc.constantFrom("remove", "stop")).map(([username, how]) => new ByHand(username, how)),
      fc.constant(new Restart()),
      fc.constant(new EngineAway()),
    ];
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 20 }), async (steps) => {
        await clean();
        await fc.asyncModelRun(() => ({ model: { containers: new Map() }, real: agent }), steps);
      }),
      { numRuns: 30 },
    );
  }, 300_000);
});

const changing = () =>
  fc.constantFrom<Changing[]>("create-container", "start-container", "stop-container", "delete-container");

/** One command, once. */
class Change implements Step {
  readonly name: Changing;
  readonly username: string;

  constructor(name: Changing, username: string) {
    this.name = name;
    this.username = username;
  }

  check = () => true;

  async run({ containers }: Model, real: AgentUnderTest): Promise<void> {
    const before = containers.get(this.username);
    expect(verdict(await send(real, this.name, this.username))).toBe(expected(this.name, before));
    apply(this.name, this.username, containers);
    await agrees(containers, real);
  }

  toString = () => `${this.name}(${this.username})`;
}

/** One command twice with one operationId: a success executes nothing again. */
class Repeat extends Change {
  override async run({ containers }: Model, real: AgentUnderTest): Promise<void> {
    const operationId = randomUUID();
    const before = containers.get(this.username);
    const first = await send(real, this.name, this.username, operationId);
    expect(verdict(first), first.message).toBe(expected(this.name, before));
    if (first.success) apply(this.name, this.username, containers);
    const changesBefore = changesOf(real);
    const second = await send(real, this.name, this.username, operationId);
    if (first.success) {
      expect(second).toEqual(first);
      expect(changesOf(real)).toEqual(changesBefore);
    }
    await agrees(containers, real);
  }

  override toString = () => `${this.name}(${this.username}) twice`;
}

/** What a person does with Docker directly is reported as it is, not undone. */
class ByHand implements Step {
  readonly username: string;
  readonly how: string;

  constructor(username: string, how: string) {
    this.username = username;
    this.how = how;
  }

  check = ({ containers }: Readonly<Model>) => containers.has(this.username);

  async run({ containers }: Model, real: AgentUnderTest): Promise<void> {
    const name = `dockhost-${this.username}`;
    if (this.how === "remove") {
      await real.engine.remove(name);
      containers.delete(this.username);
    } else {
      const { id = "" } = (await real.engine.inspect(name)) ?? {};
      await real.engine.stop(id);
      containers.set(this.username, false);
    }
    await agrees(containers, real);
    // Recovery cannot know who stopped it and starts it in doubt; a command settles the wish.
    if (this.how === "stop") await send(real, "stop-container", this.username);
  }

  toString = () => `${this.how} ${this.username} by hand`;
}

/** Another agent process takes over what the first has left. */
class Restart implements Step {
  check = () => true;

  async run({ containers }: Model, real: AgentUnderTest): Promise<void> {
    await real.stopAgent();
    await real.startAgent();
    await agrees(containers, real);
  }

  toString = () => "restart";
}

class EngineAway implements Step {
  check = () => true;

  async run({ containers }: Model, real: AgentUnderTest): Promise<void> {
    real.engine.goAway();
    expect(verdict(await send(real, "create-container", "ada"))).toBe("ENGINE_UNAVAILABLE");
    real.engine.comeBack();
    // Refused until everything is listed anew, then as if nothing had been.
    while (!(await list(real)).success) await delay(2);
    await agrees(containers, real);
  }

  toString = () => "Engine away and back";
}

async function send(real: AgentUnderTest, name: Changing, username: string, operationId?: string) {
  const request = { username, ...(operationId !== undefined && { operationId }) };
  return name === "create-container"
    ? real.mainServer.command(name, { ...request, sshPublicKey: PUBLIC_KEY })
    : real.mainServer.command(name, request);
}

const list = (real: AgentUnderTest) => real.mainServer.command("list-containers", {});

const verdict = (reply: Reply<CommandName>): string => (reply.success ? "success" : reply.error.code);

function expected(name: Changing, runs: boolean | undefined): string {
  const exists = runs !== undefined;
  if (name === "create-container") return exists ? "ALREADY_EXISTS" : "success";
  return exists || name === "delete-container" ? "success" : "NOT_FOUND";
}

function apply(name: Changing, username: string, containers: Model["containers"]): void {
  if (name === "delete-container") containers.delete(username);
  else if (name === "create-container") containers.set(username, containers.get(username) ?? true);
  else if (containers.has(username)) containers.set(username, name === "start-container");
}

/** I1, I4 and the list: exactly the containers there should be, running as they should, with disjoint ports. */
async function agrees(containers: Model["containers"], real: AgentUnderTest): Promise<void> {
  const reply = await list(real);
  if (!reply.success) throw new Error(reply.message);
  const seen = reply.data.containers;
  const states = seen.map(({ username, state }: Container) => [username, state === "running"] as const);
  expect(new Map(states)).toEqual(containers);
  expect(seen).toHaveLength(containers.size);
  expect(named(real)).toHaveLength(containers.size);
  const ports = seen.flatMap((one: Container) => Object.values(one.ports));
  expect(new Set(ports).size).toBe(ports.length);
}

/** Every run begins with an empty backend. */
async function clean(): Promise<void> {
  agent.engine.comeBack();
  for (const username of USERS) {
    while (!(await send(agent, "delete-container", username)).success) await delay(2);
  }
  expect(named(agent)).toEqual([]);
  agent.engine.calls.length = 0;
}

/** Whether or not others are made ahead. */
const named = ({ engine }: AgentUnderTest) =>
  [...engine.containers.values()].filter(({ name }) => name.startsWith("dockhost-"));

/** What users' containers have come to; the calls that did it too, where nothing else is made beside them. */
function changesOf(real: AgentUnderTest): unknown {
  const users = named(real).map(({ id, name, state }) => ({ id, name, state }));
  return isAlone ? { users, calls: real.engine.calls.filter(isChange) } : users;
}

const isChange = (call: string): boolean => ["create", "start", "stop", "remove", "rename"].includes(call);
