import fc from "fast-check";
import { expect, test } from "vitest";
import { ed25519, lineOf, rsa } from "../test/ssh-key-samples.ts";
import { mutatedLine } from "../test/ssh-key-lines.ts";
import { HostKey } from "./containers.ts";
import { parseSshPublicKey } from "./ssh-public-key.ts";

const takes = (line: string): boolean => HostKey.safeParse(line).success;

test("every Ed25519 key is a host key, as it stands in known_hosts", () => {
  for (let nth = 0; nth < 1_000; nth++) expect(takes(lineOf(ed25519()))).toBe(true);
});

test("nothing stands beside a host key, and another type is none", () => {
  const line = lineOf(ed25519());
  for (const other of [`${line} ada`, `${line}\n`, ` ${line}`, `*,${line}`, `${line}\n${line}`, `${line}=`, ""]) {
    expect(takes(other)).toBe(false);
  }
  expect(takes(lineOf(rsa()))).toBe(false);
});

test("what passes as a host key is one sound key in its one spelling", () => {
  fc.assert(
    fc.property(mutatedLine(), (line) => {
      fc.pre(takes(line));
      expect(parseSshPublicKey(line)).toMatchObject({ ok: true, key: { type: "ssh-ed25519", line, comment: "" } });
    }),
    { numRuns: 2_000, maxSkipsPerRun: 1_000 },
  );
});
