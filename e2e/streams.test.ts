import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { docker } from "./support/docker-cli.ts";
import { RestUser } from "./support/rest-user.ts";
import { rounds } from "./support/rounds.ts";
import { newUser } from "./support/site.ts";
import { SshUser } from "./support/ssh.ts";
import type { Viewer } from "./support/viewer.ts";
import { WholeHouse } from "./support/whole-house.ts";

const FLOOD_MS = rounds(10_000, 60_000);
const SHELL_MARK = "DOCKHOST_TERMINAL=";

let house: WholeHouse;
let person: SshUser;
let ada: string;
let instanceId: string;

beforeAll(async () => {
  ada = newUser("ada");
  [house, person] = await Promise.all([WholeHouse.open(ada), SshUser.arrive()]);
  const { publicKey } = await person.newKey("ada");
  instanceId = await house.createInstance(publicKey);
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const view = (path: string): Promise<Viewer> => house.owner.view(`/api/instances/${instanceId}/${path}`).open();
const container = (): string => `dockhost-${ada}`;

/** Processes in the container that a terminal has started. */
async function leftOfTerminals(): Promise<string> {
  const look = `for p in /proc/[0-9]*; do grep -qs "${SHELL_MARK}" $p/environ && cat $p/cmdline; done; true`;
  return docker("exec", container(), "sh", "-c", look);
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** Waits until it is the same for half a second. */
async function standsStill(value: () => number): Promise<void> {
  const grown = async (): Promise<number> => {
    const before = value();
    await delay(500);
    return value() - before;
  };
  await expect.poll(grown).toBe(0);
}

describe("a shell", () => {
  test("is root's login shell on a terminal of the size that is asked for, and follows when it changes", async () => {
    await using shell = await view("shell?columns=91&rows=33");
    await shell.saw(/[#$] $/);
    shell.type("stty size; whoami; pwd; echo $TERM\r");
    await shell.saw(/33 91\r\nroot\r\n\/root\r\nxterm-256color\r\n/);
    shell.resize(120, 40);
    shell.type(`until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; stty size\r`);
    await shell.saw(/40 120\r\n/);
    shell.type("exit\r");
    expect(await shell.closed).toMatchObject({ code: 1000 });
  });

  test("that floods costs no process its memory, and Ctrl-C is answered at once", async () => {
    await using shell = await view("shell?columns=80&rows=24");
    await shell.saw(/[#$] $/);
    const before = await Promise.all([house.server.pid, house.backend.pid].map(residentMiB));
    shell.type("yes\r");
    await shell.saw(/y\r\ny\r\n/);
    await delay(FLOOD_MS);
    const after = await Promise.all([house.server.pid, house.backend.pid].map(residentMiB));
    const grown = after.map((now, index) => now - (before[index] ?? 0));
    expect(Math.max(...grown)).toBeLessThan(40);
    expect(shell.received).toBeGreaterThan(1024 * 1024);
    shell.forget();
    const begun = performance.now();
    shell.type("\u0003");
    await shell.saw(/\^C[^]*[#$] $/);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test("waits for a viewer who looks away, with little on the way, and goes on when they look again", async () => {
    await using shell = await view("shell?columns=80&rows=24");
    await shell.saw(/[#$] $/);
    shell.lookAway();
    shell.type("yes | head -n 1000000; echo do''ne\r");
    await delay(2_000);
    await standsStill(() => shell.received);
    expect(shell.received).toBeLessThan(512 * 1024);
    shell.lookAgain();
    await shell.saw(/done\r\n/, 30_000);
    expect(shell.received).toBeGreaterThanOrEqual(3_000_000);
  });

  test("whose viewer goes leaves nothing running, on whatever side the line is cut", async () => {
    const shell = await view("shell?columns=80&rows=24");
    await shell.saw(/[#$] $/);
    shell.type("sleep 1000 & vi\r");
    await expect.poll(leftOfTerminals).toMatch(/sleep[^]*vi|vi[^]*sleep/);
    shell.socket.terminate();
    await expect.poll(leftOfTerminals).toBe("");
  });

  test("ends with its instance, which says so", async () => {
    await using shell = await view("shell?columns=80&rows=24");
    await shell.saw(/[#$] $/);
    expect(await house.owner.call("POST", `/api/instances/${instanceId}/stop`)).toMatchObject({ status: 200 });
    expect(await shell.closed).toMatchObject({ code: 1000 });
    const refused = await view("shell?columns=80&rows=24");
    expect(await refused.closed).toEqual({ code: 4000, reason: `${ada}'s container does not run; start it first.` });
    expect(await house.owner.call("POST", `/api/instances/${instanceId}/start`)).toMatchObject({ status: 200 });
  });
});

describe("what else is streamed", () => {
  test("logs: the last lines, then each as it is written, and nothing from before the instance was its user's", async () => {
    await using logs = await view("logs?tail=50");
    await docker("exec", container(), "sh", "-c", "echo said later > /proc/1/fd/1");
    await logs.saw(/said later\n/);
    await using ended = await view("logs?tail=1&follow=false");
    await ended.closed;
    expect(ended.text).toBe("said later\n");
  });

  test("stats: one line a second, that see a busy processor and memory that is held", async () => {
    await using stats = await view("stats");
    await expect.poll(() => stats.stats.length).toBeGreaterThan(0);
    await using shell = await view("shell");
    await shell.saw(/[#$] $/);
    shell.type("timeout 60 sh -c 'while :; do :; done'\r");
    await expect.poll(() => stats.stats.at(-1)?.cpus ?? 0).toBeGreaterThan(0.3);
    const last = stats.stats.at(-1);
    expect(last?.memoryLimitBytes).toBe(512 * 1024 ** 2);
    expect(last?.memoryBytes).toBeGreaterThan(1024 ** 2);
    expect(last?.processes).toBeGreaterThan(1);
  });

  test("a connection to a port of the instance, byte by byte", async () => {
    await using tunnel = await view("tcp/22");
    await tunnel.saw(/^SSH-2\.0-/);
    await using silent = await view("tcp/443");
    expect((await silent.closed).code).not.toBe(1005);
  });

  test("the backend's own log, to who registered it", async () => {
    await using log = await house.owner.view(`/api/backends/${house.backendId}/log?tail=1000`).open();
    await log.saw(/"msg":"Container created"/);
  });
});

test("a user looks at 24 streams at once and at no more, until one of them is closed", async () => {
  const log = () => house.owner.view(`/api/backends/${house.backendId}/log?tail=1`);
  const open = await Promise.all(Array.from({ length: 24 }, () => log().open()));
  for (const viewer of open) await viewer.saw(/"msg"/);
  await using refused = await log().open();
  expect(await refused.closed).toEqual({ code: 4000, reason: "You look at 24 streams already; close some." });
  for (const viewer of open) await viewer[Symbol.asyncDispose]();
  await using next = await log().open();
  await next.saw(/"msg"/);
});

describe("nobody else", () => {
  test("sees or types into it: no other user, no other site's page, nobody without a session", async () => {
    const bob = await RestUser.signUp(house.url, newUser("bob"));
    const path = `/api/instances/${instanceId}/shell`;
    await using others = await bob.view(path).open();
    expect(await others.closed).toEqual({ code: 4000, reason: "There is no such instance." });
    await using log = await bob.view(`/api/backends/${house.backendId}/log`).open();
    expect(await log.closed).toEqual({ code: 4000, reason: "There is no such backend." });
    expect(await house.owner.view(path, { origin: "https://evil.example" }).refused()).toBe(403);
    expect(await house.owner.view(path, { cookie: "" }).refused()).toBe(401);
    expect(await house.owner.view("/api/instances/1/everything").refused()).toBe(404);
    expect(await house.owner.view("/elsewhere").refused()).toBe(404);
  });

  test("comes in by the door that backends open streams at, without a token that is waited for", async () => {
    const socket = new WebSocket(`${house.url.replace(/^http/, "ws")}/streams/00000000-0000-4000-8000-000000000000`, {
      headers: { Authorization: "Bearer guessed" },
    });
    const refused = new Promise((resolve) =>
      socket.once("unexpected-response", (_, { statusCode }) => resolve(statusCode)),
    );
    socket.on("error", () => undefined);
    expect(await refused).toBe(401);
  });
});

test("a backend that goes, or a main server that goes, closes what they carried, and both serve anew", async () => {
  const cut = await view("shell");
  await cut.saw(/[#$] $/);
  await house.restartBackend("SIGKILL");
  expect(await cut.closed).toMatchObject({ code: 1011 });
  await house.isOnline();
  const open = await view("shell");
  await open.saw(/[#$] $/);
  await house.restartServer();
  expect(await open.closed).toMatchObject({ code: 1001 });
  await house.isOnline();
  await using shell = await view("shell");
  await shell.saw(/[#$] $/);
});
