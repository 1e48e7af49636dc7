import { expect, it } from "vitest";
import { ProcessorUse, type ProcessorTimes } from "./processor-use.ts";

/** A machine of two processors, whose times and clock a test moves. */
function machine() {
  const times: ProcessorTimes = { busy: 5_000, idle: 90_000 };
  let now = 0;
  const use = new ProcessorUse(
    () => ({ ...times }),
    () => now,
  );
  const pass = (ms: number, busy: number) => {
    now += ms;
    times.busy += busy;
    times.idle += 2 * ms - busy;
  };
  return { use, pass, times };
}

it("says how busy the whole machine was since the reading before", () => {
  const { use, pass } = machine();
  pass(10_000, 5_000);
  expect(use.percent()).toBe(25);
  pass(10_000, 20_000);
  expect(use.percent()).toBe(100);
  pass(10_000, 0);
  expect(use.percent()).toBe(0);
});

it("says nothing in its first second, and takes no shorter time for its measure later", () => {
  const { use, pass } = machine();
  pass(500, 1_000);
  expect(use.percent()).toBeUndefined();
  pass(9_500, 1_000);
  expect(use.percent()).toBe(10);
  pass(100, 200);
  expect(use.percent()).toBe(10);
  pass(1_900, 200);
  expect(use.percent()).toBe(10);
});

it("stays between 0 and 100 where a processor was taken away", () => {
  const { use, pass, times } = machine();
  pass(10_000, 5_000);
  use.percent();
  times.busy /= 2;
  pass(10_000, 1_000);
  expect(use.percent()).toBe(0);
});

it("reads this machine's own processors", async () => {
  const use = new ProcessorUse();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const percent = use.percent();
  expect(percent).toBeGreaterThanOrEqual(0);
  expect(percent).toBeLessThanOrEqual(100);
});
