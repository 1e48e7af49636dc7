import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { blobOf, ecdsa, ed25519, lineOf, type Parts, rsa, sk } from "../test/ssh-key-samples.ts";
import { parseSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";

const CASES = { numRuns: 10_000 };

// Made once: a fresh curve point for each of 10,000 cases would take minutes.
const POOL: Parts[] = [
  ...Array.from({ length: 20 }, ed25519),
  ...[2048, 2049, 2050, 2055, 2056, 3072, 4096, 8192].map((bits) => rsa({ bits })),
  ...[[3], [17], [0, 0x81], [1, 0, 0, 0, 1]].map((exponent) => rsa({ exponent })),
  ...Array.from({ length: 10 }, () => [ecdsa("nistp256"), ecdsa("nistp384"), ecdsa("nistp521")]).flat(),
  ...Array.from({ length: 5 }, () => [sk(ed25519()), sk(ecdsa("nistp256"), "ssh:dockhost")]).flat(),
];

const key = fc.constantFrom(...POOL);
const comment = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u.test(text));
const validLine = fc.tuple(key, comment).map(([parts, text]) => lineOf(parts, text));

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

  it("accepts nothing that ssh2 refuses, but for the keys of security tokens, which ssh2 does not know", () => {
    fc.assert(
      fc.property(fc.oneof(validLine, mutatedLine()), (line) => {
        const result = parseSshPublicKey(line);
        if (!result.ok || result.key.type.startsWith("sk-")) return;
        const known = ssh2.utils.parseKey(result.key.line);
        expect(known).not.toBeInstanceOf(Error);
      }),
      CASES,
    );
  });

  it("accepts nothing that ssh-keygen refuses", () => {
    const lines = fc
      .sample(fc.oneof(validLine, mutatedLine()), 2000)
      .map((line) => parseSshPublicKey(line))
      .flatMap((result) => (result.ok ? [result.key.line] : []));
    expect(lines.length).toBeGreaterThan(500);
    expect(knownToKeygen(lines)).toBe(lines.length);
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

/** One bit of the blob or one character of the line is another: the key may still be one. */
function mutatedLine(): fc.Arbitrary<string> {
  const bit = fc
    .tuple(key, fc.nat())
    .map(([parts, at]) => `${String(parts[0])} ${flipped(blobOf(parts), at).toString("base64")}`);
  const character = fc
    .tuple(validLine, fc.nat(), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 1 }))
    .map(([line, at, other]) => line.slice(0, at % line.length) + other + line.slice((at % line.length) + 1));
  return fc.oneof(bit, character);
}

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

function flipped(blob: Buffer, at: number): Buffer {
  const changed = Buffer.from(blob);
  const bit = at % (blob.length * 8);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
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

/** How many of the lines ssh-keygen takes for keys. */
function knownToKeygen(lines: string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "dockhost-keys-"));
  const file = join(folder, "lines");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const known = execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return known.trim().split("\n").length;
}
