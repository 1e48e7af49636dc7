import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SlotDirectories, type Claim } from "./slot-directories.ts";

const CLAIM: Claim = {
  username: "ada",
  createdAt: "2026-01-02T03:04:05.678Z",
  requestHash: "h",
  shouldRun: true,
  deleting: false,
  keysMounted: true,
};

let folder: string;
let umask: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-slots-"));
  // The strictest that an operator may have.
  umask = process.umask(0o077);
});
afterEach(async () => {
  process.umask(umask);
  await rm(folder, { recursive: true });
});

const modeOf = async (...path: string[]) => ((await stat(join(folder, "slots", ...path))).mode & 0o777).toString(8);

describe("a slot's directory", () => {
  it("lets sshd's helper read the keys, and only its owner the claim, whatever the umask", async () => {
    const directories = new SlotDirectories(folder);
    directories.make("s1");
    await directories.fill("s1", CLAIM, ["key-1", "key-2"]);
    expect(await modeOf("s1", "keys")).toBe("755");
    expect(await modeOf("s1", "keys", "authorized_keys")).toBe("644");
    expect(await modeOf("s1", "claim.json")).toBe("600");
    expect(await readFile(join(directories.keys("s1"), "authorized_keys"), "utf8")).toBe("key-1\nkey-2\n");
  });

  it("is known to the next process", async () => {
    const directories = new SlotDirectories(folder);
    directories.make("s1");
    await directories.fill("s1", CLAIM, ["key"]);
    const next = new SlotDirectories(folder);
    expect(await next.list()).toEqual(["s1"]);
    expect(await next.readClaim("s1")).toEqual(CLAIM);
  });

  it("has no claim where its file is torn or missing", async () => {
    const directories = new SlotDirectories(folder);
    expect(await directories.readClaim("nobody")).toBeUndefined();
    directories.make("s1");
    await directories.fill("s1", CLAIM, ["key"]);
    await writeFile(join(folder, "slots", "s1", "claim.json"), '{"usern');
    expect(await new SlotDirectories(folder).readClaim("s1")).toBeUndefined();
  });

  it("goes as a whole", async () => {
    const directories = new SlotDirectories(folder);
    directories.make("s1");
    await directories.fill("s1", CLAIM, ["key"]);
    await directories.remove("s1");
    expect(await directories.list()).toEqual([]);
    expect(await directories.readClaim("s1")).toBeUndefined();
  });
});
