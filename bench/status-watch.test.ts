import { describe, expect, it } from "vitest";
import { lateness } from "./status-watch.ts";

describe("lateness of the heartbeat", () => {
  it("is nothing while a status comes every ten seconds or more often", () => {
    expect(lateness([0, 10_000, 12_000], 0, 20_000)).toBe(0);
  });

  it("is what the longest silence lasted beyond ten seconds", () => {
    expect(lateness([1_000, 12_500, 20_000], 0, 21_000)).toBe(1_500);
  });

  it("counts the silence before the first status and the one that still lasts", () => {
    expect(lateness([15_000], 0, 16_000)).toBe(5_000);
    expect(lateness([1_000], 0, 14_000)).toBe(3_000);
  });

  it("heeds only what came between the two moments", () => {
    expect(lateness([5_000, 50_000], 20_000, 31_000)).toBe(1_000);
  });
});
