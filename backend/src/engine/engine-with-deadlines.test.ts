import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineDouble } from "../../test/engine-double.ts";
import { EngineWithDeadlines } from "./engine-with-deadlines.ts";

const SOON = { readMs: 40, changeMs: 40, forgetMs: 10_000 };
const TIMED_OUT = { name: "EngineError", kind: "timed-out" };

let double: EngineDouble;
let engine: EngineWithDeadlines;
beforeEach(() => {
  double = new EngineDouble();
  engine = new EngineWithDeadlines(double, SOON);
});
afterEach(() => double[Symbol.asyncDispose]());

describe("a call that the Engine does not answer", () => {
  it.each([
    ["info", () => engine.info()],
    ["list", () => engine.list([])],
    ["inspect", () => engine.inspect("x")],
    ["logs", () => engine.logTail("x", 1)],
    ["image", () => engine.image("x")],
    ["start", () => engine.start("x")],
    ["stop", () => engine.stop("x", 0)],
    ["remove", () => engine.remove("x")],
    ["rename", () => engine.rename("x", "y")],
    ["network", () => engine.ensureIsolatedBridge("x")],
    ["events", () => engine.events("x", () => undefined, new AbortController().signal)],
  ])("ends at its deadline: %s", async (call, ask) => {
    double.freeze();
    await expect(ask()).rejects.toMatchObject({ ...TIMED_OUT, message: `no answer to '${call}' within 0.04 s` });
  });

  it("is waited for by the container's next change, which then finds what it did", async () => {
    double.freeze();
    await expect(engine.rename("x", "y")).rejects.toMatchObject(TIMED_OUT);
    await expect(engine.remove("x")).rejects.toMatchObject(TIMED_OUT);
    expect(double.calls).toEqual(["rename"]);
    double.thaw();
    await engine.remove("x");
    expect(double.calls).toEqual(["rename", "remove"]);
  });

  it("holds up no other container", async () => {
    double.freeze();
    await expect(engine.remove("x")).rejects.toMatchObject(TIMED_OUT);
    const other = engine.remove("y");
    double.thaw();
    await other;
  });

  it("that never ends is waited for only so long", async () => {
    engine = new EngineWithDeadlines(double, { readMs: 40, changeMs: 40, forgetMs: 20 });
    double.freeze();
    await expect(engine.remove("x")).rejects.toMatchObject(TIMED_OUT);
    await delay(40);
    await expect(engine.remove("x")).rejects.toMatchObject(TIMED_OUT);
    expect(double.calls).toEqual(["remove", "remove"]);
    double.thaw();
  });
});

it("a late subscription tells nothing", async () => {
  const heard: string[] = [];
  double.freeze();
  const subscription = engine.events("a", ({ action }) => heard.push(action), new AbortController().signal);
  await expect(subscription).rejects.toMatchObject(TIMED_OUT);
  double.thaw();
  await delay(10);
  expect(double.followers).toBe(0);
});
