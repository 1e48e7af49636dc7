import { describe, expect, it } from "vitest";
import { median, quantile, ratio, summary } from "./statistics.ts";

describe("statistics of the bench", () => {
  it("takes the middle of an odd number of samples, and half way between two of an even one", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("orders numbers as numbers", () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it("interpolates a quantile between the two nearest samples", () => {
    expect(quantile([0, 10], 0.95)).toBeCloseTo(9.5);
    expect(quantile([7], 0.95)).toBe(7);
  });

  it("refuses to tell a quantile of nothing", () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it("sums up all samples of all rounds", () => {
    expect(summary([[1, 2], [3]])).toEqual({ samples: 3, median: 2, p95: 2.9 });
  });

  it("compares round by round, so that a slow spell on both sides changes nothing", () => {
    const baseline = [[100], [100], [1000]];
    const ours = [[110], [1100], [1100]];
    expect(ratio(ours, baseline)).toEqual({ ofMedians: 11, pairwise: 1.1 });
  });

  it("refuses to compare rounds that are not pairs", () => {
    expect(() => ratio([[1]], [])).toThrow(RangeError);
  });
});
