import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdsLivingProcess } from "./engine-start.mjs";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "dockhost-pid-"))));
afterAll(() => rmSync(folder, { recursive: true }));

function pidFile(content: string | number) {
  const file = join(folder, `${Math.random()}.pid`);
  writeFileSync(file, `${content}\n`);
  return file;
}

/** A /proc with one process in it. */
function procWith(stat: string) {
  const proc = mkdtempSync(join(folder, "proc-"));
  mkdirSync(join(proc, "77"));
  writeFileSync(join(proc, "77/stat"), stat);
  return proc;
}

test("a pid file counts while its program runs", () => {
  expect(holdsLivingProcess(pidFile(77), "dockerd", procWith("77 (dockerd) S 1 77 77 0"))).toBe(true);
});

test("a pid file is stale where its process is a zombie, or by now another program", () => {
  expect(holdsLivingProcess(pidFile(77), "dockerd", procWith("77 (dockerd) Z 1 77 77 0"))).toBe(false);
  expect(holdsLivingProcess(pidFile(77), "dockerd", procWith("77 (evil) dockerd) S 1 77"))).toBe(false);
  expect(holdsLivingProcess(pidFile(77), "dockerd", procWith("77 (nginx) S 1 77 77 0"))).toBe(false);
});

test("a pid file is told by the real /proc", async () => {
  const sleeper = spawn("sleep", ["60"]);
  const file = pidFile(sleeper.pid ?? 0);
  await expect.poll(() => holdsLivingProcess(file, "sleep")).toBe(true);
  sleeper.kill();
  await expect.poll(() => holdsLivingProcess(file, "sleep")).toBe(false);
});

test("no file, or nonsense in it, is no process", () => {
  expect(holdsLivingProcess(join(folder, "none"), "dockerd")).toBe(false);
  expect(holdsLivingProcess(pidFile("nonsense"), "dockerd")).toBe(false);
  expect(holdsLivingProcess(pidFile(""), "dockerd")).toBe(false);
});
