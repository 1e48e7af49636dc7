import { describe, expect, it } from "vitest";
import type { Bound } from "./bounds.ts";
import type { Measurement } from "./measurement.ts";
import { isGood, judge } from "./verdicts.ts";

const open: Bound = { says: "a", section: "s", table: "T", row: "raw", take: "ratio", margin: 0.02 };
const atMost: Bound = { ...open, atMost: 1.03 };
const atLeast: Bound = { ...open, take: "inverse", atLeast: 0.5, margin: 0.1 };
const ofMedian: Bound = { ...atMost, take: "median", atMost: 200, margin: 20 };

describe("verdicts on the figures", () => {
  it.each([
    [1.03, "holds"],
    [1.04, "holds within the margin"],
    [1.06, "BROKEN"],
  ])("judges a ratio of %d that may be 1.03, or 1.05 with its margin", (ratio, outcome) => {
    expect(outcomeOf(atMost, ratio)).toBe(outcome);
  });

  it.each([
    [2, "holds"],
    [2.2, "holds within the margin"],
    [3, "BROKEN"],
  ])("turns a ratio of %d round where more is better", (ratio, outcome) => {
    expect(outcomeOf(atLeast, ratio)).toBe(outcome);
  });

  it("takes the median where the bound is one of milliseconds or memory", () => {
    expect(judge([ofMedian], table(9, 210), [])).toMatchObject([{ value: 210, outcome: "holds within the margin" }]);
  });

  it("takes a figure that is missing for no success", () => {
    const verdicts = judge([atMost], [], []);
    expect(verdicts).toMatchObject([{ value: undefined, outcome: "NOT MEASURED" }]);
    expect(verdicts.every(isGood)).toBe(false);
  });

  it("notices a ratio that is within its bound and yet clearly worse than recorded", () => {
    expect(outcomeOf(atMost, 0.9, 0.7)).toBe("WORSE THAN RECORDED");
    expect(outcomeOf(atMost, 0.75, 0.7)).toBe("holds");
    expect(outcomeOf({ ...atLeast, atLeast: 0 }, 1 / 0.8, 1 / 0.97)).toBe("WORSE THAN RECORDED");
  });

  it("holds a figure without a bound against what was recorded alone", () => {
    expect(outcomeOf(open, 7)).toBe("holds");
    expect(outcomeOf(open, 7, 5)).toBe("WORSE THAN RECORDED");
  });

  it("forgives small ratios the noise that is large only in parts of them", () => {
    expect(outcomeOf(atMost, 0.07, 0.05)).toBe("holds");
  });

  it("compares no milliseconds with those of another machine", () => {
    expect(judge([ofMedian], table(1, 150), table(1, 50))).toMatchObject([{ recorded: undefined, outcome: "holds" }]);
  });
});

function outcomeOf(bound: Bound, ratio: number, recorded?: number): string | undefined {
  return judge([bound], table(ratio), recorded === undefined ? [] : table(recorded))[0]?.outcome;
}

function table(pairwise: number, median = 1): Measurement[] {
  const row = { name: "raw", summary: { samples: 1, median, p95: median }, ratio: { ofMedians: 99, pairwise } };
  return [{ title: "T", unit: "ms", rows: [row] }];
}
