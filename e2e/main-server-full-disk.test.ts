import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkSound } from "../main-server/src/store/backup.ts";
import { addBackend, Browser, PASSWORD, signedUp, type Answer } from "../main-server/src/testing/browser.ts";
import { connectBackend, sshPublicKey } from "../main-server/src/testing/fake-backend.ts";
import { MainServerProcess, npmRun } from "./support/main-server-process.ts";
import { freePort } from "./support/ports.ts";

const run = promisify(execFile);

let disk: string;
let server: MainServerProcess;
let url: string;

beforeAll(async () => {
  disk = await mkdtemp(join(tmpdir(), "dockhost-small-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", "size=4m", "dockhost-small-disk", disk]);
  server = new MainServerProcess(disk, await freePort());
  url = await server.ready();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await run("umount", [disk]);
  await rm(disk, { recursive: true });
});

const ballast = () => join(disk, "ballast");

/** To the last byte. */
async function fill(): Promise<void> {
  await writeFile(ballast(), Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
}

const FULL = {
  status: 503,
  code: "CAPACITY",
  body: {
    error: { message: "The main server's disk is full, so nothing can be stored; its operator has to free some." },
  },
};

test("on a full disk writes fail with one clear sentence and reads go on; with room again everything does", async () => {
  const ada = await signedUp(url, "ada");
  const told: string[] = [];
  const { id: backendId, apiKey } = await addBackend(ada);
  told.push(backendId);
  const backend = await connectBackend(url, apiKey);
  await fill();

  // The log of writes has some room of its own left: it is used up first.
  let refusal: Answer | undefined;
  while (!refusal) {
    const answer = await ada.post("/api/backends", { name: "one more" });
    if (answer.status === 201) told.push((answer.body as { backend: { id: string } }).backend.id);
    else refusal = answer;
  }
  expect(refusal).toMatchObject(FULL);
  const bob = new Browser(url);
  expect(await bob.post("/api/auth/signup", { username: "bob", password: PASSWORD })).toMatchObject(FULL);
  expect(await ada.post(`/api/backends/${backendId}/keys`)).toMatchObject(FULL);
  expect(await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId })).toMatchObject(FULL);
  expect(backend.commands("create-container")).toEqual([]);

  const there = async () => {
    const answers = await Promise.all(told.map((id) => ada.get(`/api/backends/${id}`)));
    return answers.filter(({ status }) => status === 200).length;
  };
  expect(await there()).toBe(told.length);
  expect((await ada.get("/api/auth/me")).status).toBe(200);
  expect((await ada.get("/health")).status).toBe(200);
  expect(backend.socket.connected).toBe(true);
  const backup = await npmRun("backup", disk);
  expect(backup).toMatchObject({
    code: 1,
    output: expect.stringContaining("✗ There is no room on the disk") as string,
  });

  await rm(ballast());
  expect((await bob.post("/api/auth/signup", { username: "bob", password: PASSWORD })).status).toBe(201);
  expect((await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId })).status).toBe(201);
  expect(await there()).toBe(told.length);
  expect(await npmRun("backup", disk)).toMatchObject({ code: 0 });
  expect((await readdir(join(disk, "backups"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);

  await server.end("SIGKILL");
  const elsewhere = await mkdtemp(join(tmpdir(), "dockhost-large-disk-"));
  await cp(disk, elsewhere, { recursive: true, filter: (source) => !source.endsWith(".control") });
  checkSound(join(elsewhere, "main-server.sqlite"));
  await rm(elsewhere, { recursive: true });
  expect(server.output).not.toMatch(/"level":"error".*A request failed/);
}, 60_000);
