import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobOf, ecdsa, ed25519, lineOf, rsa, sk } from "../test/ssh-key-samples.ts";
import { parseSshPublicKey } from "./ssh-public-key.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const [TYPE = "", BLOB = ""] = ED25519.split(" ");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dockhost-keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a key made by ssh-keygen is accepted as it is", () => {
  it.each([
    ["ed25519", "256"],
    ["rsa", "2048"],
    ["rsa", "3072"],
    ["ecdsa", "256"],
    ["ecdsa", "384"],
    ["ecdsa", "521"],
  ])("%s of %s bits", (type, bits) => {
    const file = keygen(type, bits, "ada@lovelace");
    const text = readFileSync(`${file}.pub`, "utf8");
    expect(parseSshPublicKey(text)).toMatchObject({ ok: true, key: { line: text.trim(), comment: "ada@lovelace" } });
  });

  it("and its private half is recognised and refused", () => {
    for (const format of ["RFC4716", "PEM", "PKCS8"]) {
      const text = readFileSync(keygen("rsa", "2048", "ada", "-m", format), "utf8");
      expect(refusal(text)).toMatch(/^This is a private key: send the .pub file/);
    }
  });

  it("but not where it is too weak", () => {
    expect(refusal(readFileSync(`${keygen("rsa", "1024", "ada")}.pub`, "utf8"))).toMatch(
      /2048 to 16384 bits.* has 1024/,
    );
  });
});

describe("a security token's key is accepted", () => {
  it.each([{ parts: sk(ed25519()) }, { parts: sk(ecdsa("nistp256")) }])("$parts.0, as ssh-keygen does", ({ parts }) => {
    const line = lineOf(parts, "token");
    expect(parseSshPublicKey(line)).toMatchObject({ ok: true, key: { type: parts[0], comment: "token", line } });
    expect(keygenKnows([line])).toBe(1);
  });

  it.each(["", "ssh:\0", "ssh:\u001b[2J", "s".repeat(257)])(
    "only with a printable application, not %j",
    (application) => {
      expect(refusal(lineOf(sk(ed25519(), application)))).toMatch(/application is malformed/);
    },
  );
});

describe("a line", () => {
  it("may end in one newline, which is trimmed", () => {
    expect(canonical(`${ED25519} ada\n`)).toBe(`${ED25519} ada`);
  });

  it("may have a comment in any script, which keeps its inner spaces and loses its outer ones", () => {
    expect(canonical(`${ED25519}  Ada  Löwe-愛 🦁  `)).toBe(`${ED25519} Ada  Löwe-愛 🦁`);
  });

  it("may be without a comment", () => {
    expect(parseSshPublicKey(`${ED25519} `)).toEqual({
      ok: true,
      key: { type: TYPE, blob: BLOB, comment: "", line: ED25519 },
    });
  });

  it.each([
    ["nothing", "", /empty/],
    ["blanks alone", " \n", /empty/],
    ["two newlines at the end", `${ED25519}\n\n`, /one line/],
    ["two keys", `${ED25519}\n${ED25519}\n`, /one line/],
    ["a carriage return at the end", `${ED25519}\r\n`, /invisible character/],
    ["a carriage return alone", `${ED25519} a\rssh-rsa b`, /invisible character/],
    ["a tab", `${TYPE}\t${BLOB}`, /invisible character/],
    ["a NUL", `${ED25519} a\0b`, /invisible character/],
    ["a terminal escape", `${ED25519} \u001b[2J`, /invisible character/],
    ["a C1 control character", `${ED25519} \u009b2J`, /invisible character/],
    ["a line separator", `${ED25519} a\u2028b`, /invisible character/],
    ["a turned direction of writing", `${ED25519} \u202egnp.exe`, /invisible character/],
    ["half a character", `${ED25519} \ud83e`, /invisible character/],
    ["a comment that is too long", `${ED25519} ${"a".repeat(257)}`, /at most 256 characters/],
    ["more than 16 KiB", `${ED25519} ${"ä".repeat(8192)}`, /at most 16384 bytes/],
    ["options", `command="/bin/sh" ${ED25519}`, /remove what stands before it/],
    ["an option without a value", `no-pty ${ED25519}`, /remove what stands before it/],
    ["a leading space", ` ${ED25519}`, /remove what stands before it/],
    ["two spaces behind the type", `${TYPE}  ${BLOB}`, /not sound base64/],
    ["no type", BLOB, /begin with its type, one of ssh-ed25519, ssh-rsa/],
    ["an unknown type", `ssh-ed448 ${BLOB}`, /begin with its type, one of/],
    ["a property's name for a type", `constructor ${BLOB}`, /begin with its type, one of/],
    ["a type in capitals", `SSH-ED25519 ${BLOB}`, /begin with its type, one of/],
    ["a DSA key", `ssh-dss ${BLOB}`, /DSA keys are no longer safe/],
    ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${BLOB}`, /This is a certificate/],
    ["PuTTY's private key", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", /This is a private key/],
    ["PuTTY's public key", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", /convert it with ssh-keygen -i/],
    ["no blob", TYPE, /not sound base64/],
  ])("is refused with %s", (_, line, reason) => {
    expect(refusal(line)).toMatch(reason);
  });
});

describe("base64 has one spelling", () => {
  const padded = lineOf(rsa({ bits: 2056 }));
  const blob = padded.split(" ")[1] ?? "";

  it.each([
    ["without its padding", blob.replace(/=+$/, "")],
    ["with more padding", `${BLOB}====`],
    ["with stray bits", blob.replace(/.(=+)$/, "/$1")],
    ["with other characters", BLOB.replace(/...$/, "-_-")],
    ["with padding inside", `AA==${BLOB}`],
    ["cut in the middle of a byte", BLOB.slice(0, -3)],
  ])("and not the one %s", (_, spelling) => {
    const type = spelling.startsWith(blob.slice(0, 20)) ? "ssh-rsa" : TYPE;
    expect(blob).toMatch(/=$/);
    expect(refusal(`${type} ${spelling}`)).toMatch(/not sound base64/);
  });
});

describe("a blob is refused", () => {
  const point = ecdsa("nistp256")[2] as Buffer;
  const moved = Buffer.concat([point.subarray(0, 64), Buffer.from([(point[64] ?? 0) ^ 1])]);
  const swap = (parts: (string | Buffer)[], type: string) => `${type} ${blobOf(parts).toString("base64")}`;

  it.each([
    ["of another type than the line", swap(ed25519(), "ssh-rsa"), /another type inside/],
    ["with bytes after its end", lineOf([...ed25519(), ""]), /goes on after its end/],
    ["with a short Ed25519 key", lineOf(["ssh-ed25519", Buffer.alloc(31)]), /32 bytes/],
    ["with a long Ed25519 key", lineOf(["ssh-ed25519", Buffer.alloc(33)]), /32 bytes/],
    ["with an RSA modulus of 2047 bits", lineOf(rsa({ bits: 2047 })), /has 2047/],
    ["with an RSA modulus of 16385 bits", lineOf(rsa({ bits: 16_385 })), /has 16385/],
    ["with an even modulus", lineOf(rsa({ bits: 2048, even: true })), /make no RSA key/],
    ["with the exponent 1", lineOf(rsa({ exponent: [1] })), /make no RSA key/],
    ["with an even exponent", lineOf(rsa({ exponent: [1, 0, 0] })), /make no RSA key/],
    ["without an exponent", lineOf(rsa({ exponent: [] })), /make no RSA key/],
    ["with a zero before the exponent", lineOf(rsa({ exponent: [0, 3] })), /malformed number/],
    ["with a zero for the exponent", lineOf(rsa({ exponent: [0] })), /malformed number/],
    ["with a negative exponent", lineOf(rsa({ exponent: [0x83] })), /malformed number/],
    ["with another curve inside", lineOf(["ecdsa-sha2-nistp256", "nistp384", point]), /curve is not that of its type/],
    ["with a point of another length", lineOf(["ecdsa-sha2-nistp384", "nistp384", point]), /wrong length or form/],
    ["with a point beside its curve", lineOf(["ecdsa-sha2-nistp256", "nistp256", moved]), /not on its curve/],
    ["with a compressed point", lineOf(["ecdsa-sha2-nistp256", "nistp256", compressed(point)]), /wrong length or form/],
    [
      "with the point at infinity",
      lineOf(["ecdsa-sha2-nistp256", "nistp256", Buffer.alloc(1)]),
      /wrong length or form/,
    ],
    [
      "of which a length reaches past its end",
      `${TYPE} ${Buffer.from("ffffffff00", "hex").toString("base64")}`,
      /cut short/,
    ],
    ["that ends within a length", `${TYPE} ${Buffer.from("0000", "hex").toString("base64")}`, /cut short/],
  ])("%s", (_, line, reason) => {
    expect(refusal(line)).toMatch(reason);
  });
});

/** Makes a key pair and returns the private file's path. */
function keygen(type: string, bits: string, comment: string, ...more: string[]): string {
  const file = join(folder, `${type}-${bits}-${more.join("")}`);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-C", comment, "-f", file, ...more]);
  return file;
}

/** How many of the lines ssh-keygen takes for keys. */
function keygenKnows(lines: string[]): number {
  const file = join(folder, "lines");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" }).trim().split("\n").length;
}

function canonical(line: string): string | undefined {
  const result = parseSshPublicKey(line);
  return result.ok ? result.key.line : undefined;
}

function refusal(line: string): string {
  const result = parseSshPublicKey(line);
  return result.ok ? `accepted: ${result.key.line}` : result.reason;
}

const compressed = (point: Buffer) => Buffer.concat([Buffer.from([2 + ((point[64] ?? 0) & 1)]), point.subarray(1, 33)]);
