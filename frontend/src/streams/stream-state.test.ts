import { describe, expect, it } from "vitest";
import { stateAfter } from "./stream-state.ts";

const MIDDLE = 0.5;
const REASON = "The backend is shutting down.";

describe("stateAfter", () => {
  it("is over when the other side says so, and stays over", () => {
    expect(stateAfter({ code: 1000, reason: "", retries: 0 })).toEqual({ kind: "ended", reason: "", failed: false });
    expect(stateAfter({ code: 1000, reason: "", retries: 3 }).kind).toBe("ended");
  });

  it("tells why a stream that nothing went through was ended", () => {
    const state = stateAfter({ code: 4001, reason: "Nothing went through for too long.", retries: 0 });
    expect(state).toEqual({ kind: "ended", reason: "Nothing went through for too long.", failed: false });
  });

  it("does not dial again by itself what was refused with a reason", () => {
    const state = stateAfter({ code: 4000, reason: "There is no such instance.", retries: 0 });
    expect(state).toEqual({ kind: "ended", reason: "There is no such instance.", failed: true });
  });

  it.each([1001, 1006, 1011])("comes back by itself after %i", (code) => {
    expect(stateAfter({ code, reason: REASON, retries: 0 }, MIDDLE)).toEqual({
      kind: "lost",
      reason: REASON,
      waitMs: 1_000,
    });
  });

  it("has a reason where none was given", () => {
    expect(stateAfter({ code: 1006, reason: "", retries: 0 })).toMatchObject({ reason: "The connection was lost." });
  });

  it("waits longer each time, half a minute at the most, and never just as long as the others", () => {
    const waits = [0, 1, 2, 3, 10].map((retries) => stateAfter({ code: 1006, reason: "", retries }, MIDDLE));
    expect(waits.map((state) => state.kind === "lost" && state.waitMs)).toEqual([1_000, 2_000, 4_000, 8_000, 30_000]);
    expect(stateAfter({ code: 1006, reason: "", retries: 0 }, 0)).toMatchObject({ waitMs: 750 });
    expect(stateAfter({ code: 1006, reason: "", retries: 0 }, 1)).toMatchObject({ waitMs: 1_250 });
  });

  it("gives a backend that was restarted the time to come back, and then gives up with what it was told", () => {
    const reason = "The backend is not connected.";
    expect(stateAfter({ code: 4000, reason, retries: 6 })).toMatchObject({ kind: "lost", reason });
    expect(stateAfter({ code: 4000, reason, retries: 7 })).toEqual({ kind: "ended", reason, failed: true });
  });
});
