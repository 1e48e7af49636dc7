import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { addBackend, signedUp, type Browser } from "../testing/browser.ts";
import { connectBackend, sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

/** What a page is told from now on. */
async function follow(browser: Browser): Promise<{ kind: string }[]> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const headers = { cookie: browser.headers.cookie ?? "" };
  const response = await fetch(`${browser.url}/api/events`, { headers, signal: over.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const told: { kind: string }[] = [];
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      for (const line of decoder.decode(chunk as Uint8Array).split("\n")) {
        if (line.startsWith("data: ")) told.push(JSON.parse(line.slice(6)) as { kind: string });
      }
    }
  };
  void read().catch(() => undefined);
  return told;
}

test("a page is told what happens to its user's instances, and nothing of another's", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { apiKey } = await addBackend(ada);
  const [toAda, toBob] = await Promise.all([follow(ada), follow(bob)]);
  const backend = await connectBackend(url, apiKey);
  await expect.poll(() => toAda).toContainEqual({ kind: "backends-changed" });
  toAda.length = 0;
  toBob.length = 0;
  backend.report("operation-progress", { username: "ada", phase: "pulling-image", current: 1, total: 2 });
  await ada.post("/api/instances", { sshPublicKey: sshPublicKey() });
  await expect.poll(() => toAda).toContainEqual({ kind: "instances-changed" });
  expect(toAda).toContainEqual(
    expect.objectContaining({ kind: "progress", phase: "pulling-image", current: 1, total: 2 }),
  );
  await delay(300);
  expect(toBob).toEqual([]);
});

test("a page is told when a backend is another than before, and not of each heartbeat", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { apiKey, id } = await addBackend(ada);
  const told = await follow(ada);
  const backend = await connectBackend(url, apiKey);
  await expect.poll(() => told).toEqual([{ kind: "backends-changed" }]);
  told.length = 0;
  for (const memoryAvailableMiB of [4_000, 3_000]) {
    const usage = { ...backend.status.usage, memoryAvailableMiB };
    const capacity = { ...backend.status.capacity, diskMiB: memoryAvailableMiB };
    backend.report("backend-status", { ...backend.status, usage, capacity });
  }
  await delay(300);
  expect(told).toEqual([]);
  backend.report("backend-status", { ...backend.status, draining: true });
  await expect.poll(() => told).toEqual([{ kind: "backends-changed" }]);
  expect((await ada.get(`/api/backends/${id}`)).body).toMatchObject({ draining: true });
});

test("changes that come together are told together", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { apiKey } = await addBackend(ada);
  await connectBackend(url, apiKey);
  const told = await follow(ada);
  const { body } = await ada.post("/api/instances", { sshPublicKey: sshPublicKey() });
  const { id } = body as { id: string };
  await Promise.all([ada.post(`/api/instances/${id}/stop`), ada.post(`/api/instances/${id}/start`)]);
  await delay(400);
  expect(told.filter(({ kind }) => kind === "instances-changed").length).toBeLessThan(5);
});

test("a page is told nothing any more once its session has ended", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const response = await fetch(`${url}/api/events`, { headers: { cookie: ada.headers.cookie ?? "" } });
  const over = response.text();
  await ada.post("/api/auth/signout");
  expect(await over).toBe("retry: 1000\n\n");
});

test("only who is signed in is told anything", async () => {
  const { url } = await startMainServer();
  expect((await fetch(`${url}/api/events`)).status).toBe(401);
});
