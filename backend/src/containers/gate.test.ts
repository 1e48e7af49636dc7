import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

describe("commands", () => {
  it("wait while recovery runs, and go on when it is done", async () => {
    const gate = new Gate();
    let passed = 0;
    const waiting = [gate.pass(), gate.pass()].map((pass) => pass.then(() => (passed += 1)));
    await Promise.resolve();
    expect(passed).toBe(0);
    gate.set("open");
    await Promise.all(waiting);
    expect(passed).toBe(2);
  });

  it("are refused at once while the Engine is away, also those that wait", async () => {
    const gate = new Gate();
    const waiting = gate.pass();
    gate.set("closed");
    await expect(waiting).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(gate.pass()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });

  it("wait again when the Engine is back, until recovery has run again", async () => {
    const gate = new Gate();
    gate.set("closed");
    gate.set("recovering");
    const waiting = gate.pass();
    gate.set("open");
    await expect(waiting).resolves.toBeUndefined();
  });
});
