import { expect, test } from "vitest";
import * as z from "zod";
import { addBackend, signedUp, type Browser } from "../testing/browser.ts";
import { connectBackend, sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

const Item = z.object({ id: z.string() });
const Page = z.object({ nextCursor: z.string().nullable() }).catchall(z.array(Item));

async function page(browser: Browser, path: string, query: string) {
  const { nextCursor, ...lists } = Page.parse((await browser.get(`${path}?${query}`)).body);
  return { ids: Object.values(lists)[0]?.map(({ id }) => id) ?? [], nextCursor };
}

async function everything(browser: Browser, path: string): Promise<string[]> {
  const seen: string[] = [];
  let query = "limit=2";
  for (;;) {
    const { ids, nextCursor } = await page(browser, path, query);
    expect(ids.length).toBeLessThanOrEqual(2);
    seen.push(...ids);
    if (nextCursor === null) return seen;
    query = `limit=2&cursor=${nextCursor}`;
  }
}

async function scene() {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const bob = await signedUp(main.url, "bob");
  const backends: string[] = [];
  const instances: string[] = [];
  for (let nth = 0; nth < 5; nth++) {
    const { id, apiKey } = await addBackend(ada, `nth-${nth}`);
    await connectBackend(main.url, apiKey);
    backends.push(id);
    const { body } = await ada.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId: id });
    instances.unshift(Item.parse(body).id);
  }
  const [first = ""] = backends;
  await ada.post(`/api/backends/${first}/keys`);
  return { main, ada, bob, backends, instances, keysPath: `/api/backends/${first}/keys` };
}

test("every list comes in pages: backends and keys oldest first, instances newest first, each once", async () => {
  const { ada, bob, backends, instances, keysPath } = await scene();
  expect(await everything(ada, "/api/backends")).toEqual(backends);
  expect(await everything(ada, "/api/instances")).toEqual(instances);
  expect(await everything(ada, keysPath)).toHaveLength(2);
  expect(await page(ada, keysPath, "limit=1")).toMatchObject({ nextCursor: expect.any(String) as string });
  expect(await page(bob, "/api/backends", "")).toEqual({ ids: [], nextCursor: null });
});

test("no answer holds more than was asked for, nor more than 100, and 50 where nothing was said", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  await Promise.all(Array.from({ length: 120 }, (_, nth) => addBackend(ada, `nth-${nth}`)));
  expect((await page(ada, "/api/backends", "")).ids).toHaveLength(50);
  const hundred = await page(ada, "/api/backends", "limit=100");
  expect(hundred.ids).toHaveLength(100);
  const rest = await page(ada, "/api/backends", `limit=100&cursor=${hundred.nextCursor ?? ""}`);
  expect(rest).toMatchObject({ nextCursor: null });
  expect(new Set([...hundred.ids, ...rest.ids]).size).toBe(120);
});

test("a cursor or a limit that is not this list's own is refused as INVALID_ARGUMENT", async () => {
  const { ada, bob, keysPath } = await scene();
  const cursorOf = async (path: string) => (await page(ada, path, "limit=1")).nextCursor ?? "";
  const cursors = {
    "/api/backends": await cursorOf("/api/backends"),
    "/api/instances": await cursorOf("/api/instances"),
    [keysPath]: await cursorOf(keysPath),
  };
  const forged = Buffer.from(JSON.stringify(["2026-01-01T00:00:00.000Z", crypto.randomUUID(), "x"]));
  const wrong = ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1e9", "cursor=", "cursor=zzz"];
  wrong.push(`cursor=${forged.toString("base64url")}`, `cursor=${"x".repeat(300)}`, "cursor=a&cursor=b");
  for (const [path, own] of Object.entries(cursors)) {
    const foreign = Object.values(cursors).filter((cursor) => cursor !== own);
    for (const query of [...wrong, ...foreign.map((cursor) => `cursor=${cursor}`)])
      expect(await ada.get(`${path}?${query}`), query).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
    expect((await ada.get(`${path}?cursor=${own}`)).status).toBe(200);
  }
  for (const path of ["/api/backends", "/api/instances"] as const)
    expect(await bob.get(`${path}?cursor=${cursors[path]}`)).toMatchObject({ status: 400 });
});

test("the OpenAPI document tells limit, cursor and nextCursor of every list", async () => {
  const { url } = await startMainServer();
  const paths = z.record(z.string(), z.object({ get: z.unknown() }).partial());
  const document = z.object({ paths }).parse(await (await fetch(`${url}/api/docs`)).json());
  for (const path of [
    "/api/backends",
    "/api/backends/{id}/keys",
    "/api/instances",
    "/api/users",
    "/api/invitations",
    "/api/audit",
  ]) {
    expect(document.paths[path]?.get).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({
          in: "query",
          name: "limit",
          schema: expect.objectContaining({ maximum: 100, default: 50 }) as unknown,
        }),
        expect.objectContaining({ in: "query", name: "cursor" }),
      ]) as unknown,
    });
    expect(JSON.stringify(document.paths[path]?.get)).toContain("nextCursor");
  }
});
