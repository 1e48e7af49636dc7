import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amount, mebibytes, roundTop } from "./amounts.ts";

describe("amount", () => {
  it.each([
    [0, "B", "0 B"],
    [1_536, "B/s", "1.5 KiB/s"],
    [2 * 1024 ** 3, "B", "2 GiB"],
    [12.345, "%", "12.3 %"],
    [150.4, "%", "150 %"],
    [7_941, "", "7,941"],
    [3, "", "3"],
  ])("says %d of %s as %s", (value, unit, told) => {
    expect(amount(value, unit)).toBe(told);
  });
});

describe("mebibytes", () => {
  it.each([
    [0, "0 B"],
    [512, "512 MiB"],
    [1_536, "1.5 GiB"],
    [24_105, "23.5 GiB"],
    [2 * 1024 ** 2, "2 TiB"],
  ])("says %d as %s", (count, told) => {
    expect(mebibytes(count)).toBe(told);
  });
});

describe("roundTop", () => {
  it.each([
    [0, "", 2],
    [7, "", 8],
    [11, "", 20],
    [130, "%", 200],
    [0, "B/s", 1024],
    [3 * 1024 ** 2, "B", 4 * 1024 ** 2],
  ])("ends a scale for %d of %s at %d", (value, unit, top) => {
    expect(roundTop(value, unit)).toBe(top);
  });

  it("is never below what is to be shown, nor far above it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1024, max: 1e15, noNaN: true }),
        fc.constantFrom("B", "B/s", "%", ""),
        (value, unit) => {
          expect(roundTop(value, unit)).toBeGreaterThanOrEqual(value);
          expect(roundTop(value, unit)).toBeLessThanOrEqual(value * 2.1);
        },
      ),
    );
  });
});
