import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyDigest } from "../store/keys-store.ts";

const SHAPE = /^dkh_(?<secret>[A-Za-z0-9_-]{43})(?<checksum>[0-9a-f]{6})$/;
const SHOWN_CHARACTERS = 10;

/** `dkh_`, 256 random bits, and a checksum by which a mistyped key is known without a query. */
export function mintApiKey(): string {
  const secret = randomBytes(32).toString("base64url");
  return `dkh_${secret}${checksumOf(secret)}`;
}

export function isWellFormed(apiKey: string): boolean {
  const { secret, checksum } = SHAPE.exec(apiKey)?.groups ?? {};
  return secret !== undefined && checksumOf(secret) === checksum;
}

const checksumOf = (secret: string) => sha256(`dkh_${secret}`).slice(0, 6);

/** All that is kept of a key: what finds it again, and what a person knows it by. */
export const digestOf = (apiKey: string): KeyDigest => ({
  hash: sha256(apiKey),
  prefix: apiKey.slice(0, SHOWN_CHARACTERS),
});

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** In constant time, whatever the lengths. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(createHash("sha256").update(one).digest(), createHash("sha256").update(other).digest());
}
