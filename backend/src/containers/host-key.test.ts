import { describe, expect, it } from "vitest";
import { hostKeyInGreeting, hostKeyOf } from "./host-key.ts";

/** As ssh-keygen made and printed it. */
const LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const FINGERPRINT = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA";
const GREETING = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7";

const blobOf = (line: string) => Buffer.from(line.split(" ")[1] ?? "", "base64");

describe("a server's greeting", () => {
  it("tells the host key, and so its fingerprint", () => {
    expect(hostKeyInGreeting(`${GREETING} ${LINE}\r\n`)).toEqual({ hostKey: LINE, hostKeyFingerprint: FINGERPRINT });
  });

  it("of an earlier image tells the fingerprint alone", () => {
    expect(hostKeyInGreeting(`${GREETING} ${FINGERPRINT}\r\n`)).toEqual({
      hostKey: undefined,
      hostKeyFingerprint: FINGERPRINT,
    });
  });

  it.each([
    ["of any other image", GREETING],
    ["that was cut off", `${GREETING} ${LINE.slice(0, -4)}`],
    ["with a key of another type inside", `${GREETING} ssh-ed25519 ${"A".repeat(68)}`],
    ["with more behind the key", `${GREETING} ${LINE} eve`],
    ["with a key before its first line", LINE],
  ])("%s tells no host key", (_, greeting) => {
    expect(hostKeyInGreeting(`${greeting}\r\n`)).toBeUndefined();
  });
});

describe("a host key from a key exchange", () => {
  it("is known as a line where it is an Ed25519 key", () => {
    expect(hostKeyOf(blobOf(LINE))).toEqual({ hostKey: LINE, hostKeyFingerprint: FINGERPRINT });
  });

  it("is known by its fingerprint alone where it is of another type", () => {
    const shown = hostKeyOf(Buffer.concat([Buffer.of(0, 0, 0, 7), Buffer.from("ssh-rsa"), Buffer.alloc(270)]));
    expect(shown).toEqual({ hostKey: undefined, hostKeyFingerprint: expect.stringMatching(/^SHA256:/) as string });
  });
});
