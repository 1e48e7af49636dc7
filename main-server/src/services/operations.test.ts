import { expect, test } from "vitest";
import { Operations } from "./operations.ts";

test("what ended at a moment or later, or is under way, overtakes what was told at that moment", async () => {
  const operations = new Operations();
  const before = performance.now();
  expect(operations.anySince(before, "one")).toBe(false);
  let end: () => void = () => undefined;
  const run = operations.run("one", () => new Promise<void>((resolve) => (end = resolve)));
  expect(operations.anySince(performance.now(), "one")).toBe(true);
  end();
  await run;
  expect(operations.anySince(before, "one")).toBe(true);
  expect(operations.anySince(before, "another")).toBe(false);
  expect(operations.anySince(performance.now() + 1, "one")).toBe(false);
});

test("one that failed may have changed something as well", async () => {
  const operations = new Operations();
  const before = performance.now();
  await expect(operations.run("one", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(operations.anySince(before, "one")).toBe(true);
});
