import { describe, expect, it } from "vitest";
import { median, medianInterval, quantile, ratio, summary, unpairedRatio } from "./statistics.ts";

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
    expect(ratio(ours, baseline)).toMatchObject({ ofMedians: 11, pairwise: 1.1 });
  });

  it("compares what was not run side by side by its medians alone", () => {
    expect(unpairedRatio([[3], [5]], [[2], [2], [2]])).toEqual({ ofMedians: 2 });
  });

  it("tells between which samples a median lies, from tables of the sign test", () => {
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
    expect(medianInterval(upTo(6))).toEqual({ low: 1, high: 6 });
    expect(medianInterval(upTo(10))).toEqual({ low: 2, high: 9 });
    expect(medianInterval(upTo(25).reverse())).toEqual({ low: 8, high: 18 });
  });

  it("tells no interval where there are too few samples for one", () => {
    expect(medianInterval([1, 2, 3, 4, 5])).toBeUndefined();
  });

  it("refuses to compare rounds that are not pairs", () => {
    expect(() => ratio([[1]], [])).toThrow(RangeError);
  });
});
