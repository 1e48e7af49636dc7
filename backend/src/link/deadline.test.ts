import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Deadline } from "./deadline.ts";

describe("a command's deadline", () => {
  it("ends the waiting with DEADLINE_EXCEEDED", async () => {
    using deadline = new Deadline(5);
    await expect(deadline.expired).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("does not run while a pull is under way, and runs on after it", async () => {
    using deadline = new Deadline(40);
    const outcome = deadline.expired.catch(() => "expired");
    await deadline.suspendDuring(delay(120));
    expect(await Promise.race([outcome, delay(1, "in time")])).toBe("in time");
    expect(await Promise.race([outcome, delay(200, "in time")])).toBe("expired");
  });

  it("runs on after a pull that failed", async () => {
    using deadline = new Deadline(5);
    await expect(deadline.suspendDuring(Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(deadline.expired).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});
