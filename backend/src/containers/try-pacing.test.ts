import { describe, expect, it } from "vitest";
import { TryPacing } from "./try-pacing.ts";

/** A pacing and its clock; `waits` is one server that answers after so long, and tells the pauses before that. */
function scene() {
  let now = 0;
  const pacing = new TryPacing(() => now);
  const waits = (answersAfterMs: number): number[] => {
    using pace = pacing.begin();
    const begin = now;
    const pauses: number[] = [];
    while (now - begin < answersAfterMs) {
      pauses.push(pace.pauseMs());
      now += pauses.at(-1) ?? 0;
    }
    pace.answered();
    return pauses;
  };
  return { pacing, waits };
}

describe("how often a server that starts is tried", () => {
  it("is every four milliseconds, as long as nothing is known of how long one takes", () => {
    const { waits } = scene();
    expect(waits(40)).toEqual(Array(10).fill(4));
  });

  it("is not before half of what the last one took has passed", () => {
    const { waits } = scene();
    waits(40);
    expect(waits(40)).toEqual([20, 4, 4, 4, 4, 4]);
  });

  it("is not put off by one that has answered at once", () => {
    const { waits } = scene();
    waits(40);
    waits(0);
    expect(waits(40)[0]).toBe(20);
  });

  it("is a tenth of a second after the first try at the latest, however slow the one before was", () => {
    const { waits } = scene();
    waits(8_000);
    expect(waits(8)).toEqual([100]);
  });

  it("is shared by all who wait", () => {
    const { pacing } = scene();
    using one = pacing.begin();
    {
      using other = pacing.begin();
      expect([one.pauseMs(), other.pauseMs()]).toEqual([8, 8]);
    }
    expect(one.pauseMs()).toBe(4);
  });
});
