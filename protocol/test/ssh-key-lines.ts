import fc from "fast-check";
import { blobOf, ecdsa, ed25519, lineOf, type Parts, rsa, sk } from "./ssh-key-samples.ts";

// Made once: a fresh curve point for each of 10,000 cases would take minutes.
const POOL: Parts[] = [
  ...Array.from({ length: 20 }, ed25519),
  ...[2048, 2049, 2050, 2055, 2056, 3072, 4096, 8192].map((bits) => rsa({ bits })),
  ...[[3], [17], [0, 0x81], [1, 0, 0, 0, 1]].map((exponent) => rsa({ exponent })),
  ...Array.from({ length: 10 }, () => [ecdsa("nistp256"), ecdsa("nistp384"), ecdsa("nistp521")]).flat(),
  ...Array.from({ length: 5 }, () => [sk(ed25519()), sk(ecdsa("nistp256"), "ssh:dockhost")]).flat(),
];

export const key = fc.constantFrom(...POOL);
const comment = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u.test(text));
export const validLine = fc.tuple(key, comment).map(([parts, text]) => lineOf(parts, text));

/** One bit of the blob or one character of the line is another: the key may still be one. */
export function mutatedLine(): fc.Arbitrary<string> {
  const bit = fc
    .tuple(key, fc.nat())
    .map(([parts, at]) => `${String(parts[0])} ${flipped(blobOf(parts), at).toString("base64")}`);
  const character = fc
    .tuple(validLine, fc.nat(), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 1 }))
    .map(([line, at, other]) => line.slice(0, at % line.length) + other + line.slice((at % line.length) + 1));
  return fc.oneof(bit, character);
}

export function flipped(blob: Buffer, at: number): Buffer {
  const changed = Buffer.from(blob);
  const bit = at % (blob.length * 8);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}
