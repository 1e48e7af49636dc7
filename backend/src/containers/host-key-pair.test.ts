import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newHostKeyPair } from "./host-key-pair.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dockhost-host-key-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const keygen = (...args: readonly string[]): string => execFileSync("ssh-keygen", args, { encoding: "utf8" });

test("a new host key is one that OpenSSH reads, and is shown as what it is", () => {
  const file = join(folder, "key");
  for (let round = 0; round < 20; round += 1) {
    const { privateFile, publicFile, shown } = newHostKeyPair();
    writeFileSync(file, privateFile, { mode: 0o600 });
    expect(keygen("-y", "-f", file).trim()).toBe(publicFile.trim());
    expect(shown.hostKey).toBe(publicFile.trim());
    expect(keygen("-l", "-f", file)).toContain(` ${shown.hostKeyFingerprint} `);
  }
});

test("a new host key is like no other", () => {
  expect(newHostKeyPair().privateFile).not.toBe(newHostKeyPair().privateFile);
});
