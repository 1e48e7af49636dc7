import { execFileSync, spawnSync } from "node:child_process";
import { createHash, ECDH } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import ssh2 from "ssh2";
import sshpk from "sshpk";
import { afterAll, describe, expect, it, vi } from "vitest";
import { key, mutatedLine, validLine } from "../test/ssh-key-lines.ts";
import { blobOf, ecdsa, ed25519, lineOf, type Parts, rsa, sk } from "../test/ssh-key-samples.ts";
import { parseSshPublicKey } from "./ssh-public-key.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

/** Each reader answers with the bytes of the key that it found in a line, or with undefined. */
const READERS = { ours: byUs, ssh2: bySsh2, sshpk: bySshpk };

const folder = mkdtempSync(join(tmpdir(), "dockhost-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A way in which readers differ, and why ours reads as it does; `reads` names those that find a key in the example. */
interface Difference {
  name: string;
  why: string;
  example: string;
  reads: readonly (keyof typeof READERS | "ssh-keygen")[];
  /** Whether it is this that stands in a line; told without our validator's help. */
  isIn: (line: string) => boolean;
}

const ED25519 = ed25519();
const LINE = lineOf(ED25519);
const [TYPE = "", BLOB = ""] = LINE.split(" ");
const PADDED = lineOf(rsa({ bits: 2056 }));
const POINT = ecdsa("nistp256")[2] as Buffer;
const P256 = (point: Buffer) => lineOf(["ecdsa-sha2-nistp256", "nistp256", point]);

const DIFFERENCES: readonly Difference[] = [
  {
    name: "a security token's Ed25519 key",
    why: "sshd takes these keys, the safest there are; the two libraries are older than they",
    example: lineOf(sk(ed25519())),
    reads: ["ours", "ssh-keygen"],
    isIn: (line) => line.startsWith("sk-ssh-ed25519@openssh.com "),
  },
  {
    name: "a security token's ECDSA key",
    why: "the same",
    example: lineOf(sk(ecdsa("nistp256"))),
    reads: ["ours", "ssh-keygen"],
    isIn: (line) => line.startsWith("sk-ecdsa-sha2-nistp256@openssh.com "),
  },
  {
    name: "one byte behind the key's end",
    why: "two texts would be one key, and what the bytes say is nobody's to know",
    example: `${TYPE} ${Buffer.concat([blobOf(ED25519), Buffer.alloc(1)]).toString("base64")}`,
    reads: ["ssh2", "sshpk"],
    isIn: (line) => partsIn(line).length > partsOfType(line),
  },
  {
    name: "a whole part behind the key's end, as a private key's blob has it",
    why: "the same, and it may be the secret",
    example: lineOf([...ED25519, Buffer.alloc(64, 1)]),
    reads: ["ssh2", "sshpk"],
    isIn: (line) => partsIn(line).length > partsOfType(line),
  },
  {
    name: "a private key of OpenSSH",
    why: "it must not be kept anywhere but with its owner; sshpk takes it where it is not told the format",
    example: madeBySshKeygen("private", ""),
    reads: ["ssh2", "ssh-keygen"],
    isIn: (line) => line.startsWith("-----BEGIN"),
  },
  {
    name: "a private key in PEM",
    why: "the same",
    example: madeBySshKeygen("pem", "", "-t", "rsa", "-b", "2048", "-m", "PEM"),
    reads: ["ssh2", "ssh-keygen"],
    isIn: (line) => line.startsWith("-----BEGIN"),
  },
  {
    name: "a certificate",
    why: "sshd trusts it by its authority, not by a line of authorized_keys without cert-authority",
    example: certificate(),
    reads: ["ssh2", "ssh-keygen"],
    isIn: (line) => typeOf(line).endsWith("-cert-v01@openssh.com"),
  },
  {
    name: "a DSA key",
    why: "sshd takes none since OpenSSH 7.0",
    example: lineOf(["ssh-dss", modulus(1024), modulus(160), modulus(1024), modulus(1024)]),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => typeOf(line) === "ssh-dss",
  },
  {
    name: "an RSA key of 1024 bits",
    why: "it can be broken",
    example: lineOf(rsa({ bits: 1024 })),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => typeOf(line) === "ssh-rsa" && bitsOf(partsIn(line)[2]) < 2048,
  },
  {
    name: "an RSA key of more bits than OpenSSL reads",
    why: "its owner could not log in",
    example: lineOf(rsa({ bits: 16_385 })),
    reads: ["ssh2", "sshpk"],
    isIn: (line) => typeOf(line) === "ssh-rsa" && bitsOf(partsIn(line)[2]) > 16_384,
  },
  {
    name: "the RSA exponent 1",
    why: "with it every message is its own signature",
    example: lineOf(rsa({ exponent: [1] })),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: hasWeakExponent,
  },
  {
    name: "an even RSA exponent",
    why: "no private key belongs to it",
    example: lineOf(rsa({ exponent: [1, 0, 0] })),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: hasWeakExponent,
  },
  {
    name: "no RSA exponent at all",
    why: "the same; ssh2 throws",
    example: lineOf(rsa({ exponent: [] })),
    reads: ["sshpk", "ssh-keygen"],
    isIn: hasWeakExponent,
  },
  {
    name: "an even RSA modulus",
    why: "half of its secret is public: 2 divides it",
    example: lineOf(rsa({ even: true })),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => typeOf(line) === "ssh-rsa" && isEven(partsIn(line)[2]),
  },
  {
    name: "a number with a needless zero in front",
    why: "a key has one spelling, so that the same key is the same text",
    example: lineOf(rsa({ exponent: [0, 3] })),
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => typeOf(line) === "ssh-rsa" && partsIn(line).slice(1).some(isPadded),
  },
  {
    name: "a negative number",
    why: "RSA knows none; ssh2 and sshpk read it as a positive one",
    example: lineOf(rsa({ exponent: [0x83] })),
    reads: ["ssh2", "sshpk"],
    isIn: (line) => typeOf(line) === "ssh-rsa" && partsIn(line).slice(1).some(isNegative),
  },
  {
    name: "a point beside its curve",
    why: "it is no key; ssh-keygen refuses it too",
    example: P256(Buffer.concat([POINT.subarray(0, 64), Buffer.of((POINT[64] ?? 0) ^ 1)])),
    reads: ["ssh2", "sshpk"],
    isIn: (line) => typeOf(line).startsWith("ecdsa-") && !isOnCurve(line),
  },
  {
    name: "a compressed point",
    why: "ssh-keygen refuses it too",
    example: P256(Buffer.concat([Buffer.of(2 + ((POINT[64] ?? 0) & 1)), POINT.subarray(1, 33)])),
    reads: ["ssh2", "sshpk"],
    isIn: (line) => typeOf(line).startsWith("ecdsa-") && !isOnCurve(line),
  },
  {
    name: "another curve inside than in the type",
    why: "which of the two would be believed?",
    example: lineOf(["ecdsa-sha2-nistp256", "nistp384", POINT]),
    reads: ["ssh2"],
    isIn: (line) => typeOf(line).startsWith("ecdsa-") && !typeOf(line).endsWith(`-${String(partsIn(line)[1])}`),
  },
  {
    name: "another ECDSA type inside than outside",
    why: "the same; sshpk looks at the family alone",
    example: `ecdsa-sha2-nistp384 ${P256(POINT).split(" ")[1] ?? ""}`,
    reads: ["sshpk"],
    isIn: (line) => typeOf(line).startsWith("ecdsa-") && typeOf(line) !== String(partsIn(line)[0]),
  },
  {
    name: "an Ed25519 key of 31 bytes",
    why: "it is cut; sshpk fills it up with a zero",
    example: lineOf(["ssh-ed25519", Buffer.alloc(31, 5)]),
    reads: ["sshpk"],
    isIn: (line) => typeOf(line) === "ssh-ed25519" && (partsIn(line)[1]?.length ?? 0) < 32,
  },
  {
    name: "a Curve25519 key",
    why: "a name of sshpk's own, no key to log in with",
    example: lineOf(["ssh-curve25519", Buffer.alloc(32, 9)]),
    reads: ["sshpk"],
    isIn: (line) => typeOf(line) === "ssh-curve25519",
  },
  {
    name: "base64 without its padding",
    why: "a key has one spelling; sshd refuses this one",
    example: PADDED.replace(/=+$/, ""),
    reads: ["ssh2", "sshpk"],
    isIn: hasOtherBase64,
  },
  {
    name: "base64 with more padding",
    why: "the same",
    example: `${LINE}====`,
    reads: ["ssh2", "sshpk"],
    isIn: hasOtherBase64,
  },
  {
    name: "base64 with stray bits",
    why: "the same",
    example: PADDED.replace(/.(=+)$/, "/$1"),
    reads: ["ssh2", "sshpk"],
    isIn: hasOtherBase64,
  },
  {
    name: "base64 with a space inside",
    why: "the rest of it is the comment; sshpk guesses",
    example: `${TYPE} ${BLOB.slice(0, 20)} ${BLOB.slice(20)}`,
    reads: ["sshpk"],
    isIn: (line) => isCut(line),
  },
  {
    name: "base64 with a line break inside",
    why: "authorized_keys would hold half a key, and a line of its own making",
    example: `${TYPE} ${BLOB.slice(0, 20)}\n${BLOB.slice(20)}`,
    reads: ["sshpk"],
    isIn: hasInvisible,
  },
  {
    name: "a backslash inside",
    why: "sshpk drops it wherever it stands",
    example: `${TYPE} ${BLOB.slice(0, 20)}\\${BLOB.slice(20)}`,
    reads: ["sshpk"],
    isIn: (line) => line.split(" ", 2).join(" ").includes("\\"),
  },
  {
    name: "a carriage return at the end",
    why: "it would end in authorized_keys as a part of the comment",
    example: `${LINE}\r`,
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "a carriage return inside",
    why: "on a terminal what follows would stand where the key stood",
    example: `${LINE} a\rb`,
    reads: ["sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "a NUL",
    why: "for what reads C strings the line ends there",
    example: `${LINE} a\0b`,
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "a tab between type and key",
    why: "a key has one spelling",
    example: `${TYPE}\t${BLOB}`,
    reads: ["sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "a terminal's escape",
    why: "whoever looks at the file would see what it says",
    example: `${LINE} \u001b[2J`,
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "two lines",
    why: "the second would be a key that nobody validated",
    example: `${LINE} a\n${LINE} b`,
    reads: ["sshpk", "ssh-keygen"],
    isIn: hasInvisible,
  },
  {
    name: "an option before the key",
    why: 'sshd would obey it: `command="…"`, `environment="…"`',
    example: `no-pty ${LINE}`,
    reads: ["ssh-keygen"],
    isIn: (line) => /^\S+ (ssh|ecdsa|sk)-/.test(line),
  },
  {
    name: "a space before the key",
    why: "a key has one spelling",
    example: ` ${LINE}`,
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => /^\s/.test(line),
  },
  {
    name: "two spaces behind the type",
    why: "the same",
    example: `${TYPE}  ${BLOB}`,
    reads: ["sshpk", "ssh-keygen"],
    isIn: (line) => /^\S+ {2}/.test(line),
  },
  {
    name: "a comment of more than 256 characters",
    why: "so much is no comment",
    example: `${LINE} ${"a".repeat(257)}`,
    reads: ["ssh2", "sshpk", "ssh-keygen"],
    isIn: (line) => line.split(" ").slice(2).join(" ").length > 256,
  },
];

const anyLine = fc.oneof(validLine, mutatedLine(), oddLine());

describe("a difference between readers of SSH public keys is known and wanted:", () => {
  it.each(DIFFERENCES)("$name, for $why", ({ example, reads, isIn }) => {
    const readers = Object.entries(READERS).filter(([, read]) => read(example) !== undefined);
    const names = [...readers.map(([name]) => name), ...(isReadBySshKeygen(example) ? ["ssh-keygen"] : [])];
    expect(names).toEqual(reads);
    expect(isIn(example)).toBe(true);
    expect(isIn(`${LINE} ada`)).toBe(false);
  });

  it("ours takes no key in which one of those stands that it is to refuse", () => {
    const refused = DIFFERENCES.filter(({ reads }) => !reads.includes("ours"));
    fc.assert(
      fc.property(anyLine, (line) => {
        const withoutEnd = line.replace(/\n$/, "");
        const found = byUs(line) === undefined ? [] : refused.filter(({ isIn }) => isIn(withoutEnd));
        expect(found.map(({ name }) => name)).toEqual([]);
      }),
      CASES,
    );
  });

  it.each(["ssh2", "sshpk"] as const)("there is no other between ours and %s", (other) => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const [mine, theirs] = [READERS.ours(line), READERS[other](line)];
        if (mine !== undefined && theirs !== undefined) expect(theirs).toBe(mine);
        if ((mine === undefined) === (theirs === undefined)) return;
        const known = DIFFERENCES.filter(
          ({ reads, isIn }) =>
            reads.includes("ours") === (mine !== undefined) &&
            reads.includes(other) === (theirs !== undefined) &&
            isIn(line),
        );
        expect(known.map(({ name }) => name)).not.toEqual([]);
      }),
      CASES,
    );
  });
});

it("what ours takes, ssh-keygen takes, and finds the same key in it", () => {
  const read = fc
    .sample(anyLine, 2000)
    .map((line) => parseSshPublicKey(line))
    .flatMap((result) => (result.ok ? [result.key] : []));
  const fingerprints = read.map(({ blob }) => createHash("sha256").update(blob, "base64").digest("base64"));
  expect(read.length).toBeGreaterThan(500);
  expect(fingerprintsBySshKeygen(read.map(({ line }) => line))).toEqual(
    fingerprints.map((text) => `SHA256:${text.replace(/=+$/, "")}`),
  );
});

/** A key of which one thing is not as it should be, or nearly so. */
function oddLine(): fc.Arbitrary<string> {
  const rest = fc.uint8Array({ minLength: 1, maxLength: 20 });
  const number = fc.uint8Array({ maxLength: 4 });
  const bits = fc.oneof(
    fc.integer({ min: 1000, max: 2050 }),
    fc.integer({ min: 2040, max: 2050 }),
    fc.integer({ min: 16_380, max: 16_390 }),
  );
  const place = fc.nat();
  const oddText = fc.constantFrom("\r", "\n", "\t", "\0", " ", "\\", "=", "-", "_", "\u202e", "\ufeff", "é");
  return fc.oneof(
    fc.tuple(key, rest).map(([parts, bytes]) => withBlob(parts, Buffer.concat([blobOf(parts), bytes]))),
    fc.tuple(key, rest).map(([parts, bytes]) => lineOf([...parts, Buffer.from(bytes)])),
    fc.tuple(key, fc.nat(200)).map(([parts, end]) => withBlob(parts, blobOf(parts).subarray(0, end))),
    number.map((exponent) => lineOf(rsa({ exponent: [...exponent] }))),
    fc.tuple(bits, fc.boolean()).map(([size, even]) => lineOf(rsa({ bits: size, even }))),
    fc.integer({ min: 28, max: 36 }).map((size) => lineOf(["ssh-ed25519", Buffer.alloc(size, 7)])),
    fc.tuple(key, key).map(([one, other]) => `${String(one[0])} ${blobOf(other).toString("base64")}`),
    fc.tuple(validLine, oddText, place).map(([line, odd, at]) => inserted(line, odd, at % (line.length + 1))),
    fc.tuple(validLine, oddText, fc.nat(40)).map(([line, odd, at]) => inserted(line, odd, at % (line.length + 1))),
  );
}

const withBlob = (parts: Parts, blob: Buffer) => `${String(parts[0])} ${blob.toString("base64")}`;
const inserted = (line: string, text: string, at: number) => line.slice(0, at) + text + line.slice(at);

function byUs(line: string): string | undefined {
  const result = parseSshPublicKey(line);
  return result.ok ? result.key.blob : undefined;
}

function bySsh2(line: string): string | undefined {
  try {
    const parsed = ssh2.utils.parseKey(line);
    return parsed instanceof Error ? undefined : parsed.getPublicSSH().toString("base64");
  } catch {
    return undefined;
  }
}

function bySshpk(line: string): string | undefined {
  try {
    return sshpk.parseKey(line, "ssh").toBuffer("rfc4253").toString("base64");
  } catch {
    return undefined;
  }
}

function isReadBySshKeygen(text: string): boolean {
  const file = join(folder, "example");
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return spawnSync("ssh-keygen", ["-l", "-f", file]).status === 0;
}

/** Behind the fingerprint of a very long key without a comment ssh-keygen prints what lay in its memory. */
function fingerprintsBySshKeygen(lines: string[]): (string | undefined)[] {
  const file = join(folder, "lines");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const told = execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8", maxBuffer: 2 ** 24 });
  return Array.from(told.matchAll(/\d+ (SHA256:\S{43}) /g), ([, fingerprint]) => fingerprint);
}

/** The file that ssh-keygen makes under `name`, with `ending`. */
function madeBySshKeygen(name: string, ending: string, ...options: string[]): string {
  const file = join(folder, name);
  const kind = options.length > 0 ? options : ["-t", "ed25519"];
  execFileSync("ssh-keygen", ["-q", "-N", "", "-C", "ada", "-f", file, ...kind]);
  return readFileSync(file + ending, "utf8").trim();
}

function certificate(): string {
  madeBySshKeygen("user", "");
  const file = join(folder, "user");
  execFileSync("ssh-keygen", ["-q", "-s", file, "-I", "ada", "-n", "root", `${file}.pub`]);
  return readFileSync(`${file}-cert.pub`, "utf8").trim();
}

function modulus(bits: number): Buffer {
  return rsa({ bits })[2] as Buffer;
}

const typeOf = (line: string): string => line.split(" ")[0] ?? "";

/** How many parts a key of the line's type has, its type among them. */
const partsOfType = (line: string): number => PART_COUNTS[typeOf(line)] ?? 3;
const PART_COUNTS: Readonly<Record<string, number>> = { "ssh-ed25519": 2, "sk-ecdsa-sha2-nistp256@openssh.com": 4 };

/** The parts of the line's blob; what is left where a length leads past the end is one more. */
function partsIn(line: string): Buffer[] {
  const parts: Buffer[] = [];
  let rest = Buffer.from(line.split(" ")[1] ?? "", "base64");
  while (rest.length > 0) {
    const end = rest.length < 4 ? rest.length : 4 + rest.readUInt32BE();
    parts.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return parts;
}

const numberIn = (bytes: Uint8Array | undefined): bigint => BigInt(`0x0${Buffer.from(bytes ?? []).toString("hex")}`);
const bitsOf = (bytes: Uint8Array | undefined): number => numberIn(bytes).toString(2).length;
const isEven = (bytes: Uint8Array | undefined): boolean => numberIn(bytes) % 2n === 0n;
const isNegative = (bytes: Uint8Array): boolean => (bytes[0] ?? 0) >= 0x80;
const isPadded = (bytes: Uint8Array): boolean => bytes[0] === 0 && (bytes[1] ?? 0) < 0x80;

function hasWeakExponent(line: string): boolean {
  const exponent = partsIn(line)[1];
  return typeOf(line) === "ssh-rsa" && (numberIn(exponent) < 3n || isEven(exponent));
}

/** As OpenSSL sees it. */
function isOnCurve(line: string): boolean {
  const names: Readonly<Record<string, string>> = {
    nistp256: "prime256v1",
    nistp384: "secp384r1",
    nistp521: "secp521r1",
  };
  const [, curve, point = Buffer.alloc(0)] = partsIn(line);
  try {
    ECDH.convertKey(point, names[String(curve)] ?? "");
    return point[0] === 4;
  } catch {
    return false;
  }
}

function hasOtherBase64(line: string): boolean {
  const text = line.split(" ")[1] ?? "";
  return Buffer.from(text, "base64").toString("base64") !== text;
}

/** Whether the blob ends within a part, so that what follows the space may be the rest of it. */
function isCut(line: string): boolean {
  const [, text = "", more] = line.split(" ");
  const whole = partsIn(line).slice(0, -1);
  const last = partsIn(line).at(-1);
  const length = whole.reduce((sum, part) => sum + 4 + part.length, 4 + (last?.length ?? 0));
  const told = Buffer.from(text, "base64");
  return more !== undefined && (length !== told.length || partsIn(line).length < partsOfType(line) || endsEarly(told));
}

function endsEarly(blob: Buffer): boolean {
  let at = 0;
  while (at + 4 <= blob.length) at += 4 + blob.readUInt32BE(at);
  return at !== blob.length;
}

function hasInvisible(line: string): boolean {
  return /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/.test(
    line.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""),
  );
}
