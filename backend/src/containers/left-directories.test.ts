import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LeftDirectories } from "./left-directories.ts";

let state: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "dockhost-state-"));
});
afterAll(() => rm(state, { recursive: true }));

/** As containerd leaves it. */
async function left(id: string): Promise<string> {
  const directory = join(state, id);
  await mkdir(join(directory, "rootfs"), { recursive: true });
  await writeFile(join(directory, "config.json"), "{}");
  await symlink("/nowhere", join(directory, "work"));
  return directory;
}

const directories = (engineIsLocal = true) => new LeftDirectories({ engineIsLocal, log: pino({ enabled: false }) });

const idOf = (digit: string): string => digit.repeat(64);

describe.concurrent("the directory of a start that was cut off", () => {
  test("is removed, and the start is worth another try", async () => {
    const directory = await left(idOf("a"));
    expect(await directories().remove(idOf("a"), directory)).toBe(true);
    expect(await readdir(state)).not.toContain(idOf("a"));
  });

  test("stays whole where somebody's files are in it", async () => {
    const directory = await left(idOf("b"));
    await writeFile(join(directory, "rootfs", "thesis"), "");
    expect(await directories().remove(idOf("b"), directory)).toBe(false);
    expect(await readdir(directory, { recursive: true })).toEqual(["config.json", "rootfs", "work", "rootfs/thesis"]);
  });

  test("stays while a process of its container lives", async () => {
    const directory = await left(idOf("c"));
    const shim = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1_000)", "--", "-id", idOf("c")], {
      argv0: "containerd-shim-of-a-test",
    });
    await once(shim, "spawn");
    expect(await directories().remove(idOf("c"), directory)).toBe(false);
    shim.kill("SIGKILL");
    expect(await readdir(directory)).toHaveLength(3);
  });

  test("stays where something has changed in it meanwhile, and the start is worth another try", async () => {
    const directory = await left(idOf("d"));
    const removed = directories().remove(idOf("d"), directory);
    await delay(500);
    await writeFile(join(directory, "runtime"), "");
    expect(await removed).toBe(true);
    expect(await readdir(directory)).toHaveLength(4);
  });

  test("stays where it is another container's, or on another machine", async () => {
    const directory = await left(idOf("e"));
    expect(await directories().remove(idOf("f"), directory)).toBe(false);
    expect(await directories(false).remove(idOf("e"), directory)).toBe(false);
    expect(await readdir(directory)).toHaveLength(3);
  });
});
