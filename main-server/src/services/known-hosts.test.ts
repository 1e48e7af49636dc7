import fc from "fast-check";
import { expect, test } from "vitest";
import { hostKeyOf } from "../testing/fake-backend.ts";
import { knownHostsLine } from "./known-hosts.ts";

const ADA = hostKeyOf("ada");

test("a host key that its fingerprint vouches for becomes one line", () => {
  expect(knownHostsLine("192.0.2.7", 1024, ADA)).toBe(`[192.0.2.7]:1024 ${ADA.hostKey}`);
});

test("a key that is not what the fingerprint says is told to nobody", () => {
  expect(knownHostsLine("192.0.2.7", 1024, { ...ADA, hostKey: hostKeyOf("eve").hostKey })).toBeNull();
  expect(knownHostsLine("192.0.2.7", 1024, { ...ADA, hostKeyFingerprint: null })).toBeNull();
  expect(knownHostsLine("192.0.2.7", 1024, { ...ADA, hostKey: null })).toBeNull();
});

test("nothing beside the key gets into the line", () => {
  const around = fc.oneof(
    fc.string(),
    fc.constantFrom("\n", "\n* ssh-ed25519 AAAA", " ", "@cert-authority ", "*,", "\r"),
  );
  fc.assert(
    fc.property(around, around, (before, after) => {
      fc.pre(before + after !== "");
      expect(knownHostsLine("x", 1024, { ...ADA, hostKey: `${before}${ADA.hostKey}${after}` })).toBeNull();
    }),
  );
});
