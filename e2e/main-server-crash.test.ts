import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askToRestore } from "../main-server/src/control/control-socket.ts";
import { backUp, checkSound } from "../main-server/src/store/backup.ts";
import { StagedBackup } from "../main-server/src/store/restore.ts";
import { addBackend, Browser, PASSWORD, signedUp } from "../main-server/src/testing/browser.ts";
import { connectBackend, sshPublicKey } from "../main-server/src/testing/fake-backend.ts";
import { MainServerProcess } from "./support/main-server-process.ts";
import { freePort } from "./support/ports.ts";
import { rounds } from "./support/rounds.ts";

const ROUNDS = rounds(5, 40);
const RESTORES = rounds(3, 16);
/** How many backends the three users of a round are told of at most before the kill, and how long after that it comes. */
const MOST_ANSWERS = 8;
const LONGEST_MOMENT_MS = 20;

let folder: string;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-crash-"));
  port = await freePort();
});

afterAll(() => rm(folder, { recursive: true }));

interface CreatedBackend {
  backend: { id: string };
  apiKey: string;
}

/** A user, and what the main server has told her that there is. */
interface Told {
  browser: Browser;
  /** Keys of a backend: how many at least, and how many at most. */
  backends: Map<string, { atLeast: number; atMost: number }>;
  deleted: Set<string>;
  instances: Map<string, string>;
}

/** Signs up and works until the main server is gone; an answer that does not come ends the work. */
async function work(url: string, username: string, told: Told[]): Promise<void> {
  const browser = new Browser(url);
  if ((await browser.post("/api/auth/signup", { username, password: PASSWORD })).status !== 201) return;
  const mine: Told = { browser, backends: new Map(), deleted: new Set(), instances: new Map() };
  told.push(mine);
  for (;;) {
    const { backend, apiKey } = (await browser.post("/api/backends", { name: "one" })).body as CreatedBackend;
    const keys = { atLeast: 1, atMost: 1 };
    mine.backends.set(backend.id, keys);
    keys.atMost = 2;
    if ((await browser.post(`/api/backends/${backend.id}/keys`)).status === 201) keys.atLeast = 2;
    if (mine.backends.size > 1) {
      mine.backends.delete(backend.id);
      await browser.delete(`/api/backends/${backend.id}`);
      mine.deleted.add(backend.id);
    } else {
      await createOn(url, apiKey, backend.id, mine);
    }
  }
}

async function createOn(url: string, apiKey: string, backendId: string, { browser, instances }: Told): Promise<void> {
  const { socket } = await connectBackend(url, apiKey);
  socket.io.reconnection(false);
  const { status, body } = await browser.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
  if (status === 201) instances.set((body as { id: string }).id, "running");
}

/** Whatever is not there any more, of what was told. */
async function lost({ browser, backends, deleted, instances }: Told): Promise<string[]> {
  const gone: string[] = [];
  if ((await browser.get("/api/auth/me")).status !== 200) gone.push("a session");
  for (const [id, { atLeast, atMost }] of backends) {
    const { keys } = (await browser.get(`/api/backends/${id}/keys`)).body as { keys?: unknown[] };
    if (!keys || keys.length < atLeast || keys.length > atMost) gone.push(`backend ${id} with ${keys?.length} keys`);
  }
  for (const id of deleted)
    if ((await browser.get(`/api/backends/${id}`)).status !== 404) gone.push(`deletion of ${id}`);
  for (const id of instances.keys())
    if ((await browser.get(`/api/instances/${id}`)).status !== 200) gone.push(`instance ${id}`);
  return gone;
}

/** Backends of whom nobody can join, as a key is made with each. */
async function half({ browser }: Told): Promise<string[]> {
  const { backends } = (await browser.get("/api/backends")).body as { backends: { id: string }[] };
  const keys = await Promise.all(backends.map(({ id }) => browser.get(`/api/backends/${id}/keys`)));
  return backends.filter((_, nth) => (keys[nth]?.body as { keys: unknown[] }).keys.length === 0).map(({ id }) => id);
}

test(`what was told is there after each of ${ROUNDS} SIGKILLs at random moments, and nothing is half`, async () => {
  let previous: Told[] = [];
  let all = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    await using server = new MainServerProcess(folder, port);
    const url = await server.ready();
    for (const user of previous) {
      expect(await lost(user), `after kill ${round}`).toEqual([]);
      expect(await half(user), `after kill ${round}`).toEqual([]);
    }
    all += previous.length;

    const told: Told[] = [];
    const answers = Math.floor(Math.random() * MOST_ANSWERS);
    const enough = () => told.reduce((sum, { backends, deleted }) => sum + backends.size + deleted.size, 0) >= answers;
    const names = [0, 1, 2].map((nth) => `u-${round}-${nth}`);
    const working = names.map((name) => work(url, name, told).catch(() => undefined));
    await expect.poll(enough, { timeout: 30_000, interval: 1 }).toBe(true);
    await sleep(Math.random() * LONGEST_MOMENT_MS);
    await server.end("SIGKILL");
    await Promise.all(working);
    checkSound(join(folder, "main-server.sqlite"));
    previous = told;
  }
  expect(all).toBeGreaterThan(ROUNDS / 2);
}, 240_000);

test("a SIGKILL in the middle of a restore leaves the one store or the other, whole", async () => {
  const home = join(folder, "restored");
  const file = (name: string) => join(folder, `${name}.sqlite`);
  {
    await using server = new MainServerProcess(home, port);
    const ada = await signedUp(await server.ready(), "ada");
    backUp(home, file("before"));
    for (let nth = 0; nth < 50; nth++) await addBackend(ada, `nth-${nth}`);
    backUp(home, file("after"));
  }
  for (let round = 0; round < RESTORES; round++) {
    await using server = new MainServerProcess(home, port);
    await server.ready();
    using staged = StagedBackup.make(home, file(round % 2 === 0 ? "before" : "after"));
    const asked = askToRestore(home, staged.file).catch(() => undefined);
    await sleep(Math.random() * 60);
    await server.end("SIGKILL");
    await asked;
    checkSound(join(home, "main-server.sqlite"));

    await using again = new MainServerProcess(home, port);
    const browser = new Browser(await again.ready());
    const signIn = await browser.post("/api/auth/signin", { username: "ada", password: PASSWORD });
    expect(signIn.status).toBe(200);
    const { backends } = (await browser.get("/api/backends?limit=100")).body as { backends: unknown[] };
    expect([0, 50]).toContain(backends.length);
  }
}, 120_000);
