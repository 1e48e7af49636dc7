import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addBackend, signedUp, type Browser } from "../main-server/src/testing/browser.ts";
import { connectBackend, sshPublicKey, type FakeBackend } from "../main-server/src/testing/fake-backend.ts";
import { openFile } from "../main-server/src/store/database.ts";
import { DataDirectory } from "../main-server/src/store/data-directory.ts";
import { record } from "./faults/ledger.ts";
import { MainServerProcess, npmRun } from "./support/main-server-process.ts";
import { freePort } from "./support/ports.ts";

let folder: string;
let data: string;
let url: string;
let server: MainServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-backup-"));
  data = join(folder, "data");
  server = new MainServerProcess(data, await freePort(), { DOCKHOST_LOCAL_BACKEND_KEY_FILE: join(data, "local.key") });
  url = await server.ready();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A user who makes backends as long as she is let, and remembers those of which she was told. */
class BusyUser {
  readonly told: string[] = [];
  readonly #browser: Browser;
  #busy = true;
  readonly #work: Promise<void>;

  constructor(browser: Browser) {
    this.#browser = browser;
    this.#work = this.#makeBackends();
  }

  async rest(): Promise<string[]> {
    this.#busy = false;
    await this.#work;
    return this.told;
  }

  async #makeBackends(): Promise<void> {
    for (let nth = 0; this.#busy; nth++) this.told.push((await addBackend(this.#browser, `nth-${nth}`)).id);
  }
}

const isThere = async (browser: Browser, id: string) => (await browser.get(`/api/backends/${id}`)).status === 200;

async function missing(browser: Browser, ids: readonly string[]): Promise<string[]> {
  const there = await Promise.all(ids.map((id) => isThere(browser, id)));
  return ids.filter((_, nth) => !there[nth]);
}

const instancesOf = async (browser: Browser) => (await browser.get("/api/instances")).body;

const create = async (browser: Browser, backendId: string) => {
  const { status, body } = await browser.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
  expect(status).toBe(201);
  return (body as { id: string }).id;
};

/** The double reconnects as the real one does. */
async function ownBackend(browser: Browser): Promise<{ id: string; backend: FakeBackend }> {
  const { id, apiKey } = await addBackend(browser);
  return { id, backend: await connectBackend(url, apiKey) };
}

describe("a backup of a running main server", () => {
  test("has everything that was told before it, and a restore brings that back into the running server", async () => {
    const ada = await signedUp(url, "ada");
    const { id: backendId, backend } = await ownBackend(ada);
    const instance = await create(ada, backendId);
    const users = await Promise.all(["u1", "u2", "u3"].map((name) => signedUp(url, name)));
    const busy = users.map((browser) => new BusyUser(browser));
    await expect.poll(() => busy.every(({ told }) => told.length > 5)).toBe(true);

    const before = busy.map(({ told }) => [...told]);
    const file = join(folder, "under-load.sqlite");
    const made = await npmRun("backup", data, "--to", file);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining(`✓ backup: ${file} (`) as string });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.startsWith("under-load"))).toEqual(["under-load.sqlite"]);

    const after = await Promise.all(busy.map((one) => one.rest()));
    expect((await ada.delete(`/api/instances/${instance}`)).status).toBe(200);
    const late = await signedUp(url, "late");
    const restored = await npmRun("restore", data, file);
    expect(restored).toMatchObject({ code: 0, output: expect.stringContaining("✓ restored") as string });
    for (const [nth, browser] of users.entries()) expect(await missing(browser, before[nth] ?? [])).toEqual([]);
    expect((await late.get("/api/auth/me")).status).toBe(401);
    // What was made afterwards is in the copy that the restore kept.
    const kept = /kept: (?<kept>.*)/.exec(restored.output)?.groups?.kept ?? "";
    expect((await stat(kept)).mode & 0o777).toBe(0o600);

    // The instance that the copy knows is no longer on the backend, which said so when it was asked anew.
    expect(backend.containers.size).toBe(0);
    await expect.poll(() => instancesOf(ada)).toMatchObject({ instances: [{ state: "gone" }] });

    expect(await npmRun("restore", data, kept)).toMatchObject({ code: 0 });
    expect((await late.get("/api/auth/me")).status).toBe(401);
    for (const [nth, browser] of users.entries()) expect(await missing(browser, after[nth] ?? [])).toEqual([]);
    expect(await instancesOf(ada)).toMatchObject({ instances: [] });
    expect((await addBackend(ada, "after")).id).not.toBe("");
  });

  test("goes beside the store under its time where no file is named", async () => {
    const { output } = await npmRun("backup", data);
    expect(output).toMatch(/\/data\/backups\/main-server-\d{8}T\d{6}\.\d{3}Z\.sqlite \(\d+ KiB\)\n$/);
    expect((await stat(join(data, "backups"))).mode & 0o777).toBe(0o700);
  });

  test("never overwrites a file, and says what is wrong in one sentence", async () => {
    const taken = join(folder, "taken");
    await writeFile(taken, "mine");
    expect(await npmRun("backup", data, "--to", taken)).toMatchObject({ code: 1 });
    expect(await readFile(taken, "utf8")).toBe("mine");
    const nowhere = await npmRun("backup", data, "--to", join(folder, "no", "where"));
    expect(nowhere).toMatchObject({
      code: 1,
      output: expect.stringMatching(/✗ .*no is no directory; make it/) as string,
    });
    const storeless = await npmRun("backup", folder);
    expect(storeless).toMatchObject({
      code: 1,
      output: `… copying and checking the store of ${folder}\n✗ There is no store in ${folder}: nothing to back up.\n`,
    });
  });
});

describe("an older copy that is restored", () => {
  test("never costs a container, nor hands one out: what it does not know is counted and left alone", async () => {
    const file = join(folder, "old.sqlite");
    const bob = await signedUp(url, "bob");
    const { id: backendId, backend } = await ownBackend(bob);
    await npmRun("backup", data, "--to", file);
    await create(bob, backendId);
    const [container] = backend.containers.values();

    expect(await npmRun("restore", data, file)).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await bob.get(`/api/backends/${backendId}`)).body)
      .toMatchObject({ status: "online", unknownContainers: 1 });
    expect(await instancesOf(bob)).toMatchObject({ instances: [] });
    const again = await bob.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId });
    expect(again).toMatchObject({ status: 409, code: "CONFLICT" });
    expect(JSON.stringify(again.body)).not.toContain(container?.containerId);
    expect(backend.commands("delete-container")).toEqual([]);
    expect([...backend.containers.values()]).toEqual([container]);
    record({ fault: "main server's database restored from an old copy", runs: 1 });
  });

  test("keeps the key of this machine's backend, which connects again by itself", async () => {
    const file = join(folder, "keyless.sqlite");
    await using other = new MainServerProcess(join(folder, "other"), await freePort());
    await other.ready();
    await npmRun("backup", join(folder, "other"), "--to", file);
    const local = await connectBackend(url, (await readFile(join(data, "local.key"), "utf8")).trim());
    let connections = 0;
    local.socket.on("connect", () => connections++);
    const before = join(folder, "before.sqlite");
    await npmRun("backup", data, "--to", before);
    expect(await npmRun("restore", data, file)).toMatchObject({ code: 0 });
    await expect.poll(() => connections).toBe(1);
    await npmRun("restore", data, before);
  });
});

describe("a restore", () => {
  test("refuses what is damaged, foreign, newer or the store itself before it touches anything", async () => {
    const good = join(folder, "good.sqlite");
    await npmRun("backup", data, "--to", good);
    const bytes = await readFile(good);
    const damaged = join(folder, "damaged.sqlite");
    await writeFile(
      damaged,
      Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(8192, 0xff), bytes.subarray(12_288)]),
    );
    const foreign = join(folder, "foreign");
    await writeFile(foreign, "no database at all");
    const newer = join(folder, "newer.sqlite");
    await copyFile(good, newer);
    const database = await openFile(newer);
    await database
      .withTables<{ kysely_migration: { name: string; timestamp: string } }>()
      .insertInto("kysely_migration")
      .values({ name: "9999-not-yet", timestamp: "2999-01-01" })
      .execute();
    await database.destroy();
    const before = await readdir(data);
    for (const [file, why] of [
      [damaged, "is damaged"],
      [foreign, "is no backup of a DockHost main server"],
      [newer, "was written by a newer DockHost"],
      [join(data, "main-server.sqlite"), "is the store itself"],
      [join(folder, "nothing"), "There is no file"],
    ] as const) {
      const { code, output } = await npmRun("restore", data, file);
      expect(code).toBe(1);
      expect(output).toContain(why);
      expect(output.match(/✗/g)).toHaveLength(1);
    }
    expect(await readdir(data)).toEqual(before);
    expect((await signedUp(url, "still-here")).headers.cookie).toBeDefined();
  });

  test("serves where no main server runs, and where the store is damaged or missing", async () => {
    const alone = join(folder, "alone");
    const good = join(folder, "good-one.sqlite");
    await npmRun("backup", data, "--to", good);
    const users = async () => {
      await using main = new MainServerProcess(alone, await freePort());
      const { code, output } = await npmRun("backup", alone, "--to", join(folder, `proof-${crypto.randomUUID()}`));
      expect({ code, output }).toMatchObject({ code: 0 });
      const again = await fetch(`${await main.ready()}/api/auth/signin`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "ada", password: "correct horse battery staple" }),
      });
      return again.status;
    };
    const restore = () => npmRun("restore", alone, good);
    expect(await restore()).toMatchObject({ code: 0, output: expect.stringContaining("no store before") as string });
    expect(await users()).toBe(200);
    expect(await restore()).toMatchObject({ code: 0, output: expect.stringContaining("is kept") as string });
    const store = join(alone, "main-server.sqlite");
    await writeFile(store, Buffer.alloc(100_000, 7));
    const rescued = await restore();
    const kept = /kept: (?<kept>.*)/.exec(rescued.output)?.groups?.kept ?? "";
    expect(rescued.code).toBe(0);
    expect(await readFile(kept)).toEqual(Buffer.alloc(100_000, 7));
    expect(await users()).toBe(200);
  });
});

test("a second main server on one data directory is refused with one sentence, and the first goes on", async () => {
  await using second = new MainServerProcess(data, await freePort());
  const { code, output } = await second.ended;
  expect(code).toBe(1);
  expect(output).toBe(
    `The data directory ${data} cannot be used: another main server works in it; stop that one, or give this one its own DOCKHOST_DATA_DIR.\n`,
  );
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await expect(DataDirectory.take(data)).rejects.toThrow("another main server works in it");
});
