import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { COMMANDS, Limits } from "./commands.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

const NUMBERS = [0, -0, 1, -1, 0.5, 0.1 + 0.2, 5e-324, 1e308, 2 ** 53 - 1, 2 ** 53, 1e21, NaN, Infinity, -Infinity];
const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.double(), fc.integer(), fc.maxSafeNat());
const value = fc.oneof(
  { weight: 8, arbitrary: number },
  fc.constantFrom("512", "512m", "", null, true, [], [1], {}, undefined),
);

/** The rule of each limit in other words. */
const RULES = { memoryMiB: isCount, cpus: isAmount, pids: isCount, diskMiB: isCount };

test("limits are positive numbers that a JSON text can hold, whole ones but for the cores", () => {
  const limits = fc.record({ memoryMiB: value, cpus: value, pids: value, diskMiB: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(limits, (given) => {
      const sound = Object.entries(RULES).every(([name, isRight]) => {
        const asked = (given as Record<string, unknown>)[name];
        return asked === undefined || isRight(asked);
      });
      const parsed = Limits.safeParse(given);
      expect(parsed.success).toBe(sound);
      if (parsed.success) expect(parsed.data).toEqual(given);
    }),
    CASES,
  );
});

test("limits have no other name: a misspelt one is not passed over", () => {
  const name = fc
    .oneof(fc.string(), fc.constantFrom("memory", "memoryMib", "CPUs", "cpu", "disk", "constructor"))
    .filter((text) => !(text in RULES) && text !== "__proto__");
  fc.assert(
    fc.property(name, number, (other, asked) => {
      expect(Limits.safeParse({ cpus: 1, [other]: asked }).success).toBe(false);
    }),
    CASES,
  );
});

test("keys are 1 to 16 texts, in one field of the two, in the order in which they came, doubles among them", () => {
  const key = fc.oneof({ weight: 20, arbitrary: fc.constantFrom("a", "b", "") }, fc.constantFrom(7, null, {}, ["a"]));
  const keys = fc.array(key, { maxLength: 20, size: "max" });
  const request = fc.record({ sshPublicKey: key, sshPublicKeys: keys }, { requiredKeys: [] });
  fc.assert(
    fc.property(request, ({ sshPublicKey: one, sshPublicKeys: many }) => {
      const given = [...(one === undefined ? [] : [[one]]), ...(many === undefined ? [] : [many])];
      const [wanted = []] = given;
      const areTexts = wanted.every((text) => typeof text === "string");
      const sound = given.length === 1 && wanted.length >= 1 && wanted.length <= 16 && areTexts;
      const create = COMMANDS["create-container"].request.safeParse({
        username: "ada",
        ...(one !== undefined && { sshPublicKey: one }),
        ...(many !== undefined && { sshPublicKeys: many }),
      });
      expect(create.success).toBe(sound);
      if (create.success) expect(create.data.sshPublicKeys).toEqual(wanted);
    }),
    CASES,
  );
});

function isCount(asked: unknown): boolean {
  return Number.isSafeInteger(asked) && Number(asked) > 0;
}

function isAmount(asked: unknown): boolean {
  return typeof asked === "number" && Number.isFinite(asked) && asked > 0;
}
