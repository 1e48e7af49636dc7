import { KEY_TYPES } from "./ssh-key-types.ts";
import { Refusal, WireReader } from "./ssh-wire.ts";

export interface SshPublicKey {
  type: string;
  /** Base64. */
  blob: string;
  comment: string;
  /** The canonical form: type, blob and comment, one space between, nothing around. */
  line: string;
}

export type SshPublicKeyResult = { ok: true; key: SshPublicKey } | { ok: false; reason: string };

const MAX_LINE_BYTES = 16_384;
const MAX_COMMENT_LENGTH = 256;

/** Control characters, line separators, what turns the direction of writing, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u;

/**
 * Reads one line as it stands in a `.pub` file, more strictly than sshd does: what is accepted here ends in an
 * `authorized_keys` file, so it can only be one key, without options, and in its one canonical spelling.
 */
export function parseSshPublicKey(line: string): SshPublicKeyResult {
  try {
    return { ok: true, key: readLine(line) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

function readLine(raw: string): SshPublicKey {
  const line = raw.endsWith("\n") ? raw.slice(0, -1) : raw;
  checkLine(line);
  const [type = "", blob = "", ...words] = line.split(" ");
  readBlob(type, blob, words);
  const comment = words.join(" ").trim();
  if (comment.length > MAX_COMMENT_LENGTH) {
    throw new Refusal(`The key's comment must have at most ${MAX_COMMENT_LENGTH} characters: shorten it.`);
  }
  return { type, blob, comment, line: [type, blob, comment].join(" ").trim() };
}

function checkLine(line: string): void {
  if (line.trim() === "") throw new Refusal("The key is empty: send the line of your .pub file.");
  if (new TextEncoder().encode(line).length > MAX_LINE_BYTES) {
    throw new Refusal(`The key must have at most ${MAX_LINE_BYTES} bytes: send the line of your .pub file alone.`);
  }
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY|^PuTTY-User-Key-File/m.test(line)) {
    throw new Refusal(
      "This is a private key: send the .pub file, and make a new pair if the private key left your machine.",
    );
  }
  if (/^-{4,5} ?BEGIN /.test(line)) {
    throw new Refusal("The key is in another format than OpenSSH's: convert it with ssh-keygen -i.");
  }
  if (line.includes("\n")) throw new Refusal("The key must be one line: send one key without line breaks.");
  if (UNPRINTABLE.test(line)) {
    throw new Refusal("The key holds an invisible character, such as a carriage return or a tab: remove it.");
  }
}

function readBlob(type: string, base64: string, rest: string[]): void {
  const readKey = KEY_TYPES.get(type);
  if (readKey === undefined) throw new Refusal(whyNotThisType(type, [base64, ...rest]));
  const blob = new WireReader(decodeBase64(base64));
  if (blob.text() !== type) {
    throw new Refusal("The key says another type inside than outside: copy the whole line of the .pub file again.");
  }
  readKey(blob);
  blob.end();
}

function whyNotThisType(type: string, rest: string[]): string {
  if (type === "ssh-dss") return "DSA keys are no longer safe: make a new key with ssh-keygen -t ed25519.";
  if (type.endsWith("-cert-v01@openssh.com")) {
    return "This is a certificate: send the plain public key that it was made for.";
  }
  if (rest.some((word) => KEY_TYPES.has(word)))
    return "The key must begin with its type: remove what stands before it.";
  return `The key must begin with its type, one of ${[...KEY_TYPES.keys()].join(", ")}.`;
}

/** Base64 spells the same bytes in several ways; only the one that encodes back to itself is taken. */
function decodeBase64(base64: string): Uint8Array {
  const wellFormed = /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0;
  const bytes = wellFormed ? atob(base64) : "";
  if (bytes === "" || btoa(bytes) !== base64) {
    throw new Refusal("The key's middle part is not sound base64: copy the whole line of the .pub file again.");
  }
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}
