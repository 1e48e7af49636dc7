import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { flipped, key, validLine } from "../test/ssh-key-lines.ts";
import { blobOf, type Parts } from "../test/ssh-key-samples.ts";
import { parseSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

describe("the validator of SSH public keys", () => {
  it("accepts every sound key, and its canonical line is a fixed point", () => {
    fc.assert(
      fc.property(validLine, fc.constantFrom("", "\n", " ", " \n"), (line, end) => {
        const { line: canonical } = accepted(line + end);
        expect(accepted(canonical).line).toBe(canonical);
      }),
      CASES,
    );
  });

  it("answers to any text with a sentence or a key, never with an exception", () => {
    const shaped = fc.tuple(fc.constantFrom("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"), fc.base64String());
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      shaped.map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(text, (line) => {
        const result = parseSshPublicKey(line);
        expect(result.ok || /^[A-Z].*\.$/.test(result.reason)).toBe(true);
      }),
      CASES,
    );
  });

  it("answers to any bytes behind a right type with a sentence or a key, never with an exception", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(key, bytes, ([type = ""], rest) => {
        const blob = Buffer.concat([blobOf([type]), rest]);
        expect(() => parseSshPublicKey(`${String(type)} ${blob.toString("base64")}`)).not.toThrow();
      }),
      CASES,
    );
  });

  it("refuses every key that was cut, prolonged or named otherwise", () => {
    fc.assert(
      fc.property(brokenLine(), (line) => {
        expect(parseSshPublicKey(line).ok).toBe(false);
      }),
      CASES,
    );
  });

  it("takes a key with one flipped bit only where it still is one key in canonical form", () => {
    fc.assert(
      fc.property(key, fc.nat(), (parts, at) => {
        const result = parseSshPublicKey(`${String(parts[0])} ${flipped(blobOf(parts), at).toString("base64")}`);
        if (result.ok) expect(partsOf(result.key).map(({ length }) => length)).toEqual(lengthsOf(parts));
      }),
      CASES,
    );
  });
});

/** What no key survives. */
function brokenLine(): fc.Arbitrary<string> {
  const withBlob = (change: (blob: Buffer, by: number) => Buffer) =>
    fc
      .tuple(key, fc.integer({ min: 1, max: 100 }))
      .map(([parts, by]) => `${String(parts[0])} ${change(blobOf(parts), by).toString("base64")}`);
  return fc.oneof(
    withBlob((blob, by) => blob.subarray(0, blob.length - by)),
    withBlob((blob, by) => Buffer.concat([blob, Buffer.alloc(by)])),
    fc
      .tuple(key, key)
      .filter(([one, other]) => one[0] !== other[0])
      .map(([one, other]) => `${String(other[0])} ${blobOf(one).toString("base64")}`),
    fc.tuple(validLine, fc.constantFrom("no-pty ", " ", "\n", "#", "@revoked ")).map(([line, front]) => front + line),
  );
}

const lengthsOf = (parts: Parts): number[] => parts.map((part) => Buffer.from(part).length);

/** An independent reading of the blob. */
function partsOf({ blob }: SshPublicKey): Buffer[] {
  const parts: Buffer[] = [];
  for (let rest = Buffer.from(blob, "base64"); rest.length > 0; rest = rest.subarray(4 + rest.readUInt32BE())) {
    parts.push(rest.subarray(4, 4 + rest.readUInt32BE()));
  }
  return parts;
}

function accepted(line: string): SshPublicKey {
  const result = parseSshPublicKey(line);
  if (!result.ok) throw new Error(`${result.reason} ${line}`);
  return result.key;
}
