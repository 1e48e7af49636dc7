import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { supervise } from "./supervise.mjs";

// Stand-ins for the two programs, in a directory of their own: what is tested is how they are run, joined and ended.
const mainServer = `
import { appendFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
const health = createServer((request, response) => response.end("ok")).listen(0, "127.0.0.1", () => {
  writeFileSync(process.env.DOCKHOST_LOCAL_BACKEND_KEY_FILE, "dh_key\\n");
  process.send({ ready: true, urls: ["http://127.0.0.1:" + health.address().port], signup: "open" });
});
process.on("SIGTERM", () => { appendFileSync(process.env.DIARY, "main server ends\\n"); process.exit(0); });
`;
// It can be ended from the moment at which it says that it is connected.
const backendThat = (whenAsked: string) => `
import { appendFileSync } from "node:fs";
appendFileSync(process.env.DIARY, "backend starts with " + process.env.DOCKHOST_API_KEY + "\\n");
process.on("SIGTERM", () => { ${whenAsked} });
const says = await fetch(process.env.MAIN_SERVER_BACKEND_URL + "/health");
process.send({ connected: says.ok });
setInterval(() => undefined, 1000);
if (process.env.DIES) setTimeout(() => process.exit(3), 50);
`;
const backend = backendThat(`appendFileSync(process.env.DIARY, "backend ends\\n"); process.exit(0);`);
const deaf = backendThat("");
const busyPort = `console.error("127.0.0.1:3001 is taken."); process.exit(1);`;
const mute = `setInterval(() => undefined, 1000);`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dockhost-supervise-"));
  const files = { mainServer, backend, busyPort, mute, deaf };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.mjs`), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const script = (name: string) => join(folder, `${name}.mjs`);

function plan(stop: AbortSignal, env: NodeJS.ProcessEnv = {}) {
  const diary = join(folder, `diary-${Math.random()}`);
  writeFileSync(diary, "");
  return {
    mainServer: script("mainServer"),
    backend: script("backend"),
    keyFile: join(folder, "key"),
    env: { ...process.env, DIARY: diary, ...env },
    stop,
    patience: { readyMs: 5000, connectedMs: 5000, graceMs: 5000 },
    onRunning: () => Promise.resolve(),
    diary: () => readFileSync(diary, "utf8").trim().split("\n"),
  };
}

describe("npm start runs a main server and a backend", () => {
  test("joined by the main server's key, and ends the backend first", async () => {
    const asked = new AbortController();
    const usual = plan(asked.signal);
    let url = "";
    await supervise({
      ...usual,
      onRunning: ({ ready }) => {
        url = ready.urls[0] ?? "";
        asked.abort();
        return Promise.resolve();
      },
    });
    expect(usual.diary()).toEqual(["backend starts with dh_key", "backend ends", "main server ends"]);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("ends the other and says so where one dies", async () => {
    const usual = plan(new AbortController().signal, { DIES: "1" });
    await expect(supervise(usual)).rejects.toThrow("The backend ended with exit code 3");
    expect(usual.diary()).toContain("main server ends");
  });

  test("starts no backend where the main server does not come up", async () => {
    const usual = plan(new AbortController().signal);
    const started = supervise({ ...usual, mainServer: script("busyPort") });
    await expect(started).rejects.toThrow("The main server ended with exit code 1: its last lines above say why.");
    expect(usual.diary()).toEqual([""]);
  });

  test("gives up on one that stays silent", async () => {
    const usual = plan(new AbortController().signal);
    const started = supervise({
      ...usual,
      backend: script("mute"),
      patience: { ...usual.patience, connectedMs: 300 },
    });
    await expect(started).rejects.toThrow("The backend is not ready after 0.3 s");
    expect(usual.diary()).toEqual(["main server ends"]);
  });

  test("kills what does not end in time", async () => {
    const asked = new AbortController();
    const usual = plan(asked.signal);
    await supervise({
      ...usual,
      backend: script("deaf"),
      patience: { ...usual.patience, graceMs: 300 },
      onRunning: () => {
        asked.abort();
        return Promise.resolve();
      },
    });
    expect(usual.diary()).toEqual(["backend starts with dh_key", "main server ends"]);
  });

  test("starts nothing more once it was asked to end", async () => {
    const asked = new AbortController();
    const usual = plan(asked.signal);
    setTimeout(() => asked.abort(), 5);
    await supervise(usual);
    expect(usual.diary()).not.toContain("backend starts with dh_key");
  });
});
