import { createECDH, randomBytes } from "node:crypto";

/** What a key's blob holds, its type first; numbers and points as the bytes that they are. */
export type Parts = (string | Buffer)[];

const NODE_CURVES = { nistp256: "prime256v1", nistp384: "secp384r1", nistp521: "secp521r1" };
export type CurveName = keyof typeof NODE_CURVES;

export const ed25519 = (): Parts => ["ssh-ed25519", randomBytes(32)];

export const ecdsa = (curve: CurveName): Parts => [
  `ecdsa-sha2-${curve}`,
  curve,
  createECDH(NODE_CURVES[curve]).generateKeys(),
];

/** The same key as a security token would hold it: no tool makes these without the hardware. */
export const sk = ([type, ...parts]: Parts, application = "ssh:"): Parts => [
  `sk-${String(type)}@openssh.com`,
  ...parts,
  application,
];

/** An RSA key in form: any odd number of the right length will do for its modulus. */
export function rsa({ bits = 2048, exponent = [1, 0, 1], even = false } = {}): Parts {
  const modulus = randomBytes(Math.ceil(bits / 8));
  const topBit = 1 << ((bits - 1) % 8);
  modulus[0] = ((modulus[0] ?? 0) & (topBit - 1)) | topBit;
  modulus[modulus.length - 1] = ((modulus.at(-1) ?? 0) & 0xfe) | (even ? 0 : 1);
  const sign = topBit === 0x80 ? [Buffer.of(0)] : [];
  return ["ssh-rsa", Buffer.from(exponent), Buffer.concat([...sign, modulus])];
}

export const blobOf = (parts: Parts): Buffer => Buffer.concat(parts.map(lengthPrefixed));

export const lineOf = (parts: Parts, comment = ""): string =>
  `${String(parts[0])} ${blobOf(parts).toString("base64")} ${comment}`.trim();

function lengthPrefixed(part: string | Buffer): Buffer {
  const bytes = Buffer.from(part);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
