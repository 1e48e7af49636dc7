import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineDouble } from "../../test/engine-double.ts";
import type { ContainerSpec } from "../engine/engine.ts";
import { createLog } from "../observe/log.ts";
import { KnownContainers } from "./known-containers.ts";
import { SlotsUnderWay } from "./slots-under-way.ts";

const BACKEND_ID = "this-backend";
const SPEC = { network: "none", image: "dockhost/instance:latest", ports: {} };

let engine: EngineDouble;
let known: KnownContainers;
beforeEach(async () => {
  engine = new EngineDouble();
  known = new KnownContainers(engine, BACKEND_ID, new SlotsUnderWay(), createLog({ format: "json", level: "silent" }));
  await engine.events("dockhost.managed", (event) => known.heed(event), new AbortController().signal);
});
afterEach(() => engine[Symbol.asyncDispose]());

function make(name: string, backendId = BACKEND_ID): Promise<string> {
  const labels = { "dockhost.managed": "true", "dockhost.backend": backendId };
  return engine.create(name, { ...SPEC, labels } as unknown as ContainerSpec);
}

/** What is known, and what it cost to read it. */
async function read(): Promise<{ states: Record<string, string>; calls: string[] }> {
  const before = engine.calls.length;
  const states = Object.fromEntries((await known.all()).map(({ name, state }) => [name, state]));
  return { states, calls: engine.calls.slice(before) };
}

describe("the containers in memory", () => {
  it("cost the Engine nothing to read while nothing happens", async () => {
    await engine.start(await make("one"));
    await known.list();
    await read();
    expect(await read()).toEqual({ states: { one: "running" }, calls: [] });
  });

  it("are looked at where something happened, and only those", async () => {
    const [one, other] = [await make("one"), await make("other")];
    await engine.start(other);
    await known.list();
    await read();
    await engine.start(one);
    expect(await read()).toEqual({ states: { one: "running", other: "running" }, calls: ["inspect"] });
    await engine.remove(other);
    expect((await read()).states).toEqual({ one: "running" });
  });

  it("are looked at before long also where nobody reads", async () => {
    const id = await make("one");
    await known.list();
    await read();
    await engine.start(id);
    await expect.poll(() => known.current.map(({ state }) => state)).toEqual(["running"]);
  });

  it("are this backend's alone: what happens to another's is neither kept nor looked at", async () => {
    await engine.start(await make("ours"));
    const listed = await make("listed before", "another backend");
    await known.list();
    await read();
    await engine.start(await make("told of", "another backend"));
    await engine.start(listed);
    expect(await read()).toEqual({ states: { ours: "running" }, calls: [] });
  });

  it("tell how one has ended, which a list does not", async () => {
    const id = await make("one");
    const container = engine.containers.get(id);
    if (container) Object.assign(container, { state: "exited", exitCode: 137, oomKilled: true });
    await known.list();
    expect(await known.all()).toMatchObject([{ exit: { exitCode: 137, oomKilled: true } }]);
    await known.list();
    expect((await read()).calls).toEqual([]);
  });

  it("are what a list tells, but for what was looked at since it was asked for", async () => {
    const [one, other] = [await make("one"), await make("other")];
    await known.list();
    await read();
    let answer = (): void => undefined;
    const told = await engine.list(["dockhost.managed"]);
    engine.list = () => new Promise((resolve) => (answer = () => resolve(told)));
    const listed = known.list();
    await engine.start(one);
    await engine.remove(other);
    await read();
    answer();
    await listed;
    expect((await read()).states).toEqual({ one: "running" });
  });

  it("are not known where the Engine does not say what has happened, until it does", async () => {
    const id = await make("one");
    await known.list();
    await read();
    await engine.start(id);
    engine.goAway();
    await expect(known.all()).rejects.toMatchObject({ kind: "unreachable" });
    engine.comeBack();
    expect((await read()).states).toEqual({ one: "running" });
  });

  it("take the newest of two looks, whichever is answered first", async () => {
    const id = await make("one");
    await known.list();
    await read();
    const answers = holdAnswers();
    known.doubt(id);
    const first = known.all();
    await expect.poll(() => answers.length).toBe(1);
    await engine.start(id);
    const second = known.all();
    await expect.poll(() => answers.length).toBe(2);
    answers.reverse().forEach((answer) => answer());
    await Promise.all([first, second]);
    expect((await second).map(({ state }) => state)).toEqual(["running"]);
    expect(known.current.map(({ state }) => state)).toEqual(["running"]);
  });

  it("are told to who waits for a look by that look, also where another was begun since", async () => {
    await known.list();
    const answers = holdAnswers();
    const id = await make("one");
    const first = known.all();
    await expect.poll(() => answers.length).toBe(1);
    await engine.start(id);
    const second = known.all();
    await expect.poll(() => answers.length).toBe(2);
    answers[0]?.();
    expect((await first).map(({ name }) => name)).toEqual(["one"]);
    answers[1]?.();
    expect((await second).map(({ state }) => state)).toEqual(["running"]);
  });
});

/** The Engine's answers to looks from here on; each is given when it is called. */
function holdAnswers(): (() => void)[] {
  const answers: (() => void)[] = [];
  const inspect = engine.inspect.bind(engine);
  engine.inspect = async (name) => {
    const answer = await inspect(name);
    await new Promise<void>((resolve) => answers.push(resolve));
    return answer;
  };
  return answers;
}
