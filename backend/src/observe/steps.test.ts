import createDebug from "debug";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hideFromSteps, steps } from "./steps.ts";

const written: string[] = [];
beforeEach(() => {
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  written.length = 0;
  createDebug.disable();
  vi.restoreAllMocks();
});

describe("the steps of a namespace", () => {
  it("are written to standard error where DEBUG names it", () => {
    createDebug.enable("dockhost:ports");
    steps("ports")("triple %d is free", 1024);
    steps("engine")("not asked for");
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/dockhost:ports.* triple 1024 is free.*\n$/);
  });

  it("tell how long a piece of work took, and hand its result on", async () => {
    createDebug.enable("dockhost:*");
    await expect(steps("engine").time("start", () => Promise.resolve("done"))).resolves.toBe("done");
    expect(written[0]).toMatch(/dockhost:engine.* start \d+\.\d ms/);
  });

  it("tell how long it took to fail and why, and hand the failure on", async () => {
    createDebug.enable("dockhost:*");
    const failure = new Error("no such %s container");
    await expect(steps("engine").time("start", () => Promise.reject(failure))).rejects.toBe(failure);
    expect(written[0]).toMatch(/ start failed after \d+\.\d ms: no such %s container/);
  });

  it("hide this backend's key, also where a library writes it", () => {
    hideFromSteps("plain-old-key");
    createDebug.enable("socket.io-client:*");
    createDebug("socket.io-client:socket")("auth %o", { DOCKHOST_API_KEY: "plain-old-key" });
    expect(written[0]).toContain("DOCKHOST_API_KEY");
    expect(written[0]).not.toContain("plain-old-key");
  });

  it("cost nothing but the work itself where nobody listens", async () => {
    const clock = vi.spyOn(performance, "now");
    const running = Promise.resolve("done");
    expect(steps("engine").time("start", () => running)).toBe(running);
    await running;
    expect(clock).not.toHaveBeenCalled();
    expect(written).toEqual([]);
  });

  it("never hold an API key", () => {
    createDebug.enable("dockhost:*");
    steps("link")("refused %o", { key: "dkh_AbC-12_xyz" });
    expect(written[0]).toContain("dkh_***");
    expect(written[0]).not.toContain("AbC");
  });
});
