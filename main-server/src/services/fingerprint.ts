import { createHash } from "node:crypto";

/** Of a key's base64 blob, as ssh-keygen prints it (`SHA256:…`). */
export const fingerprintOf = (blob: string): string =>
  `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
