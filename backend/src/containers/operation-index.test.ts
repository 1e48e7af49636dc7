import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KEPT_MS, OperationIndex } from "./operation-index.ts";

const MINUTE_MS = 60_000;

describe("what an operation's id is kept for", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("is known for 24 hours, and forgotten a quarter of an hour later at the latest", () => {
    const index = new OperationIndex();
    for (let minute = 0; minute < 60; minute += 1) {
      index.add(`minute ${minute}`, minute, KEPT_MS);
      vi.advanceTimersByTime(MINUTE_MS);
    }
    vi.advanceTimersByTime(KEPT_MS - 60 * MINUTE_MS - 1);
    for (let minute = 0; minute < 60; minute += 1) {
      expect(index.offsetOf(`minute ${minute}`)).toBe(minute);
      expect(index.offsetOf(`minute ${minute - 15}`)).toBeUndefined();
      vi.advanceTimersByTime(MINUTE_MS);
    }
    vi.advanceTimersByTime(15 * MINUTE_MS);
    expect(index.offsetOf("minute 59")).toBeUndefined();
    expect(index.size).toBe(0);
  });
});
