import fc from "fast-check";
import { Limits } from "@dockhost/protocol";
import { expect, test, vi } from "vitest";
import { createOptions } from "../engine/docker-create-options.ts";
import { checkLimits, containerSpec } from "./container-spec.ts";
import { DockHostError } from "./errors.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };
const MIB = 1024 ** 2;

const count = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const cores = fc.oneof(
  fc.constantFrom(0.05, 0.1 + 0.2, 0.049, 5e-324, 1e308, 1 / 3, 2, 2.0000000001),
  fc.double({ min: 0, max: 3, minExcluded: true, noNaN: true }),
);
const asked = fc.record({ memoryMiB: count, cpus: cores, pids: count, diskMiB: count }, { requiredKeys: [] });

test("limits that pass lower the operator's own, never raise them, and are whole numbers where the Engine wants them", () => {
  const ceilings = fc.record({
    memoryBytes: fc.integer({ min: 64 * MIB, max: 4096 * MIB }),
    cpus: fc.double({ min: 0.05, max: 4, noNaN: true }),
    pids: fc.integer({ min: 32, max: 4096 }),
    diskBytes: fc.integer({ min: 64 * MIB, max: 4096 * MIB }),
  });
  fc.assert(
    fc.property(asked, ceilings, (given, limits) => {
      const profile = { limits, bindAddress: "0.0.0.0", runtime: undefined };
      const parsed = Limits.parse(given);
      if (!passes(() => checkLimits(parsed, profile))) return;
      const spec = containerSpec(
        {
          slot: "s1",
          backendId: "b-1",
          image: { reference: "ubuntu:latest", id: "sha256:0" },
          base: 1024,
          limits: parsed,
          keys: undefined,
          environment: {},
        },
        profile,
        { diskQuota: true, openFilesLimit: true },
      );
      const { HostConfig: host } = createOptions(spec);
      const [memory, nano, pids] = [host.Memory, host.NanoCpus, host.PidsLimit];
      expect([memory, nano, pids, Number(spec.diskBytes)].every((n) => Number.isSafeInteger(n) && n > 0)).toBe(true);
      expect(memory).toBeLessThanOrEqual(limits.memoryBytes);
      expect(nano).toBeLessThanOrEqual(Math.round(limits.cpus * 1e9));
      expect(pids).toBeLessThanOrEqual(limits.pids);
      expect(spec.diskBytes).toBeLessThanOrEqual(limits.diskBytes);
    }),
    CASES,
  );
});

/** Whether `check` throws nothing; what it throws is a sentence with the code for a wrong request. */
function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(DockHostError);
    expect(error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/^limits\.\w+ must be .*\.$/) as unknown,
    });
    return false;
  }
}
