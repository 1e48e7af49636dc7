import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describe as describeProblem, SetupProblem } from "./problem.mjs";
import { run, which } from "./run.mjs";

const node = (script: string, options = {}) => run(process.execPath, ["-e", script], options);

test("a failing tool is told in one sentence, its last lines above it", async () => {
  const failed = node("for (let i = 1; i <= 99; i++) console.error('line ' + i); process.exit(7)");
  const problem: unknown = await failed.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(SetupProblem);
  expect(describeProblem(problem)).toMatch(/^ {4}line 85\n(.*\n)* {4}line 99\n✗ "[^\n]*" ended with exit code 7\.$/);
});

test("a tool that is not there is told, too", async () => {
  await expect(run("no-such-tool", ["now"])).rejects.toThrow('"no-such-tool now" could not be started');
});

test("a registry that never answers is given up, one that is merely slow is waited for", async () => {
  await expect(node("setTimeout(() => undefined, 60_000)", { silenceMs: 200 })).rejects.toThrow("ended by SIGTERM");
  const slow = "console.log('Pulling'); setTimeout(() => console.log('done'), 4500)";
  expect(await node(slow, { silenceMs: 4000, timeoutMs: 20_000 })).toBe("Pulling\ndone\n");
});

test.each([
  ["SIGTERM to who runs it", "SIGTERM", (pid: number) => pid],
  ["Ctrl-C, which a terminal tells to both,", "SIGINT", (pid: number) => -pid],
] as const)(
  "a program on a person's terminal is ended by %s and waited for until it has tidied up",
  async (_, signal, target) => {
    const tidy = `setTimeout(() => { console.log("tidied"); process.exit(3); }, 200)`;
    const program = `process.on("${signal}", () => ${tidy}); setInterval(() => undefined, 1000); console.log("up")`;
    const runner = `import("./scripts/run.mjs").then(async ({ runInForeground }) =>
    console.log("code", await runInForeground(process.execPath, ["-e", ${JSON.stringify(program)}])))`;
    const child = spawn(process.execPath, ["-e", runner], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await once(child.stdout, "data");
    process.kill(target(child.pid ?? 0), signal);
    await once(child, "close");
    expect(output).toBe("up\ntidied\ncode 3\n");
  },
);

test("a program is found where it can be executed", () => {
  const folder = mkdtempSync(join(tmpdir(), "dockhost-which-"));
  const tool = join(folder, "tool");
  writeFileSync(tool, "#!/bin/sh\n");
  chmodSync(tool, 0o644);
  expect(which("tool", `/nowhere:${folder}`)).toBeUndefined();
  chmodSync(tool, 0o755);
  expect(which("tool", `/nowhere:${folder}`)).toBe(tool);
  rmSync(folder, { recursive: true });
});

test("a fault of our own shows its message, and its stack only where DEBUG asks", () => {
  expect(describeProblem(new Error("Oops"))).toBe("✗ Oops");
});
