import fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf, isWellFormed, mintApiKey, sameSecret } from "./api-key.ts";

test("a key has its prefix, at least 256 random bits, and a checksum", () => {
  const keys = Array.from({ length: 1000 }, mintApiKey);
  for (const key of keys) {
    expect(key).toMatch(/^dkh_[\w-]{43}[0-9a-f]{6}$/);
    expect(isWellFormed(key)).toBe(true);
  }
  expect(new Set(keys).size).toBe(1000);
});

test("a key with one character mistyped is known as malformed", () => {
  const key = mintApiKey();
  for (let at = 0; at < key.length; at++) {
    const other = key[at] === "x" ? "y" : "x";
    expect(isWellFormed(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
  }
});

test("nothing but a key is well-formed", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^dkh_[\w-]{49}$/));
  fc.assert(
    fc.property(text, (some) => {
      expect(isWellFormed(some)).toBe(false);
    }),
    { numRuns: 10_000 },
  );
});

test("what is shown of a key tells too little to guess the rest", () => {
  expect(digestOf(mintApiKey()).prefix).toHaveLength(10);
});

test("secrets of any length are compared without an exception", () => {
  expect(sameSecret("a", "a")).toBe(true);
  expect(sameSecret("a", "abc")).toBe(false);
  expect(sameSecret("", "ä")).toBe(false);
});
