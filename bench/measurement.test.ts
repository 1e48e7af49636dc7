import { describe, expect, it } from "vitest";
import { circumstances, figures, measurement } from "./measurement.ts";

describe("tables of the bench", () => {
  it("compares ours, in the first row, with each row below it", () => {
    const ways = [
      { name: "ours", rounds: [[1], [2]] },
      { name: "theirs", rounds: [[2], [4]] },
    ];
    const [ours, theirs] = measurement("Create", "ms", ways).rows;
    expect(ours?.ratio).toBeUndefined();
    expect(theirs?.ratio).toMatchObject({ ofMedians: 0.5, pairwise: 0.5 });
  });

  it("compares later circumstances with the first, and says that it does", () => {
    const among = [
      { name: "with none", rounds: [[10], [10], [10]] },
      { name: "with 200", rounds: [[12]] },
    ];
    const table = circumstances("Claim", "ms", among);
    expect(table.ratioMeans).toBe("this ÷ with none");
    expect(table.rows[1]?.ratio).toEqual({ ofMedians: 1.2 });
  });

  it("compares nothing where figures stand for themselves", () => {
    const table = figures("Memory", "MiB", [
      { name: "idle", rounds: [[1]] },
      { name: "busy", rounds: [[2]] },
    ]);
    expect(table.rows.map((row) => row.ratio)).toEqual([undefined, undefined]);
  });
});
