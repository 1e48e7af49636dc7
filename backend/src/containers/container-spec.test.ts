import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLimits, containerSpec, type Profile, type SlotPlan } from "./container-spec.ts";

const MIB = 1024 ** 2;
const PROFILE: Profile = {
  limits: { memoryBytes: 512 * MIB, cpus: 1, pids: 512, diskBytes: 1024 * MIB },
  bindAddress: "0.0.0.0",
  runtime: undefined,
};
const PLAN: SlotPlan = {
  slot: "0a1b",
  backendId: "b-1",
  image: { reference: "dockhost/instance:latest", id: "sha256:1" },
  base: 1024,
  limits: {},
  keys: { source: "/var/lib/dockhost/slots/0a1b/keys", target: "/etc/dockhost/keys" },
  environment: {},
};
const ABLE = { diskQuota: true, openFilesLimit: true };

describe("what the Engine is asked for", () => {
  it("mounts the slot's key directory, read-only, and nothing else", () => {
    const spec = containerSpec(PLAN, PROFILE, ABLE);
    expect(spec.readOnlyMounts).toEqual([{ source: PLAN.keys?.source, target: "/etc/dockhost/keys" }]);
    expect(containerSpec({ ...PLAN, keys: undefined }, PROFILE, ABLE).readOnlyMounts).toEqual([]);
  });

  it("publishes 22, 80 and 443 at three consecutive ports", () => {
    expect(containerSpec(PLAN, PROFILE, ABLE).ports).toEqual({ 22: 1024, 80: 1025, 443: 1026 });
  });

  it("keeps the eleven capabilities that a login and sudo need", () => {
    expect(containerSpec(PLAN, PROFILE, ABLE).capabilities).toHaveLength(11);
  });

  it("says whose slot it is, and of which image and profile", () => {
    const { labels } = containerSpec(PLAN, PROFILE, ABLE);
    expect(labels).toMatchObject({
      "dockhost.managed": "true",
      "dockhost.backend": "b-1",
      "dockhost.slot": "0a1b",
      "dockhost.ports": "1024",
    });
    const otherImage = containerSpec({ ...PLAN, image: { ...PLAN.image, id: "sha256:2" } }, PROFILE, ABLE);
    const otherProfile = containerSpec(PLAN, { ...PROFILE, runtime: "runsc" }, ABLE);
    const hashes = [labels, otherImage.labels, otherProfile.labels].map((each) => each["dockhost.spec"]);
    expect(new Set(hashes).size).toBe(3);
  });

  it("leaves out what this Engine was seen to refuse", () => {
    const spec = containerSpec(PLAN, PROFILE, { diskQuota: false, openFilesLimit: false });
    expect(spec).toMatchObject({ diskBytes: undefined, openFiles: undefined });
    expect(containerSpec(PLAN, PROFILE, ABLE)).toMatchObject({ diskBytes: 1024 * MIB, openFiles: 65_536 });
  });
});

describe("the limits of a request", () => {
  const limits = fc.record(
    {
      memoryMiB: fc.integer({ min: 1, max: 2048 }),
      cpus: fc.double({ min: 0.001, max: 4, noNaN: true }),
      pids: fc.integer({ min: 1, max: 4096 }),
      diskMiB: fc.integer({ min: 1, max: 8192 }),
    },
    { requiredKeys: [] },
  );

  it("can only lower the backend's own", () => {
    fc.assert(
      fc.property(limits, (asked) => {
        try {
          checkLimits(asked, PROFILE);
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
          return;
        }
        const spec = containerSpec({ ...PLAN, limits: asked }, PROFILE, ABLE);
        expect(spec.memoryBytes).toBeLessThanOrEqual(PROFILE.limits.memoryBytes);
        expect(spec.cpus).toBeLessThanOrEqual(PROFILE.limits.cpus);
        expect(spec.pids).toBeLessThanOrEqual(PROFILE.limits.pids);
        expect(spec.diskBytes).toBeLessThanOrEqual(PROFILE.limits.diskBytes);
        if (asked.memoryMiB !== undefined) expect(spec.memoryBytes).toBe(asked.memoryMiB * MIB);
      }),
      { numRuns: 2_000 },
    );
  });

  it("beyond the backend's own are refused in one sentence that names both", () => {
    expect(() => checkLimits({ memoryMiB: 1024 }, PROFILE)).toThrow(
      "limits.memoryMiB must be between 32 and this backend's 512, not 1024.",
    );
  });

  it("that are the backend's own are taken", () => {
    expect(() => checkLimits({ memoryMiB: 512, cpus: 1, pids: 512, diskMiB: 1024 }, PROFILE)).not.toThrow();
  });
});
