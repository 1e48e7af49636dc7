import { request } from "node:http";
import { expect, test } from "vitest";
import * as z from "zod";
import { addBackend, Browser, PASSWORD, signedUp } from "../testing/browser.ts";
import { connectBackend, sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

const Created = z.object({ id: z.string() });
const Keys = z.object({ keys: z.array(z.object({ id: z.string() })) });

async function scene() {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const eve = await signedUp(main.url, "eve");
  const { id: backendId, apiKey } = await addBackend(ada);
  const backend = await connectBackend(main.url, apiKey);
  const { id } = Created.parse((await ada.post("/api/instances", { sshPublicKey: sshPublicKey() })).body);
  return { main, ada, eve, backendId, apiKey, backend, id };
}

/** One request with headers that fetch would not send; its status and body. */
function raw(url: string, method: string, path: string, headers: Record<string, string>, body = "") {
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const sent = request(url + path, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const json = { "content-type": "application/json" };
const credentials = (username: string) => JSON.stringify({ username, password: PASSWORD });

test("objects where text is expected, and SQL in text, are refused or mean nothing", async () => {
  const { main, ada, backendId, id } = await scene();
  const browser = new Browser(main.url);
  const operators: unknown[] = [{ $ne: null }, { $gt: "" }, ["ada"], true, 1, null, { toString: "ada" }];
  for (const operator of operators) {
    for (const body of [
      { username: operator, password: PASSWORD },
      { username: "ada", password: operator },
    ])
      expect(await browser.post("/api/auth/signin", body)).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
    expect(await ada.post("/api/backends", { name: operator })).toMatchObject({ status: 400 });
    const instance = { sshPublicKey: sshPublicKey(), backendId: operator };
    expect(await ada.post("/api/instances", instance)).toMatchObject({ status: 400 });
  }
  const sql = [
    "' or 1=1 --",
    "ada'--",
    '"; drop table users; --',
    "ada' union select * from users --",
    "%",
    "_da",
    "*",
  ];
  for (const text of sql) {
    expect((await browser.post("/api/auth/signin", { username: text, password: PASSWORD })).status).toBe(401);
    for (const path of ["/api/instances/", "/api/backends/"])
      expect(await ada.get(path + encodeURIComponent(text))).toMatchObject({ status: 404, code: "NOT_FOUND" });
    const { body, status } = await ada.post("/api/backends", { name: text });
    expect(status).toBe(201);
    expect(body).toMatchObject({ backend: { name: text } });
  }
  expect((await ada.get(`/api/instances/${id}`)).status).toBe(200);
  expect((await ada.get(`/api/backends/${backendId}`)).status).toBe(200);
});

test("on every route that takes an id, another's and none at all answer alike", async () => {
  const { ada, eve, backendId, id, backend } = await scene();
  const { keys } = Keys.parse((await ada.get(`/api/backends/${backendId}/keys`)).body);
  const own = await addBackend(eve);
  const nobodys = crypto.randomUUID();
  const before = backend.received.length;
  const routes: [(path: string) => ReturnType<Browser["get"]>, (id: string) => string][] = [
    [eve.get, (one) => `/api/instances/${one}`],
    [eve.post, (one) => `/api/instances/${one}/start`],
    [eve.post, (one) => `/api/instances/${one}/stop`],
    [eve.delete, (one) => `/api/instances/${one}`],
    [eve.get, (one) => `/api/backends/${one}`],
    [eve.delete, (one) => `/api/backends/${one}`],
    [eve.get, (one) => `/api/backends/${one}/keys`],
    [eve.post, (one) => `/api/backends/${one}/keys`],
    [eve.delete, (one) => `/api/backends/${one}/keys/${keys[0]?.id ?? ""}`],
  ];
  for (const [send, path] of routes) {
    const theirs = path("").includes("instances") ? id : backendId;
    const [foreign, absent] = [await send(path(theirs)), await send(path(nobodys))];
    expect(foreign).toMatchObject({ status: 404, code: "NOT_FOUND" });
    expect(foreign.body).toEqual(absent.body);
  }
  const key = `/api/backends/${own.id}/keys/${keys[0]?.id ?? ""}`;
  expect(await eve.delete(key)).toMatchObject({ status: 404 });
  const [foreign, absent] = await Promise.all(
    [backendId, nobodys].map((one) => eve.post("/api/instances", { sshPublicKey: sshPublicKey(), backendId: one })),
  );
  expect(foreign?.body).toEqual(absent?.body);
  expect(backend.received).toHaveLength(before);
  expect((await ada.get(`/api/instances/${id}`)).status).toBe(200);
});

test("a page whose name was made to lead here is refused, though it is the host asked", async () => {
  const { main } = await scene();
  const port = new URL(main.url).port;
  const from = (origin: string, host: string) =>
    raw(main.url, "POST", "/api/auth/signin", { ...json, origin, host }, credentials("ada"));
  for (const name of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433.example"]) {
    const { status, text } = await from(`http://${name}:${port}`, `${name}:${port}`);
    expect(status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({ error: { code: "FORBIDDEN" } });
  }
  for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "192.0.2.7"])
    expect((await from(`http://${name}:${port}`, `${name}:${port}`)).status, name).toBe(200);
  expect((await raw(main.url, "GET", "/health", { host: "dock.lan" })).status).toBe(200);
});

test("pages are served at the public address, and at a name that was given to listen on", async () => {
  const listen = [{ host: "localhost", port: 0, required: true }];
  const main = await startMainServer({ publicUrl: "https://dock.example", listen });
  await signedUp(main.url, "ada");
  const statusFrom = async (origin: string, host: string) =>
    (await raw(main.url, "POST", "/api/auth/signin", { ...json, origin, host }, credentials("ada"))).status;
  expect(await statusFrom("https://dock.example", "dock.example")).toBe(200);
  expect(await statusFrom("http://dock.example", "dock.example")).toBe(403);
  expect(await statusFrom("https://other.example", "other.example")).toBe(403);
});

test("a backend's key is no user's session, and a user of its name has nothing of it", async () => {
  const { main, apiKey } = await scene();
  const carried: Record<string, string>[] = [
    { cookie: `dockhost_session=${apiKey}` },
    { authorization: `Bearer ${apiKey}` },
    { DOCKHOST_API_KEY: apiKey },
  ];
  for (const headers of carried) {
    const browser = new Browser(main.url);
    expect(await browser.get("/api/instances", headers)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  }
  const namesake = await signedUp(main.url, "mine");
  expect((await namesake.get("/api/backends")).body).toMatchObject({ backends: [] });
  expect((await namesake.post("/api/auth/signin", { username: "mine", password: apiKey })).status).toBe(401);
});

test("no answer but the one that made it shows an API key, and none a hash", async () => {
  const { ada, backendId, apiKey, id } = await scene();
  const paths = ["/api/auth/me", "/api/backends", `/api/backends/${backendId}`, `/api/backends/${backendId}/keys`];
  for (const path of [...paths, "/api/instances", `/api/instances/${id}`]) {
    const text = JSON.stringify((await ada.get(path)).body);
    expect(text).not.toContain(apiKey);
    expect(text).not.toMatch(/hash|argon2|password|token|operationId|createRequest/i);
    expect(text).not.toMatch(/"[0-9a-f]{64}"(?<!"containerId":"[0-9a-f]{64}")/);
  }
});

test("bodies that are deep, and headers that are long, cost one refusal", async () => {
  const { main, ada } = await scene();
  const deep = `${'{"username":'.repeat(4_000)}1${"}".repeat(4_000)}`;
  expect((await raw(main.url, "POST", "/api/auth/signin", json, deep)).status).toBe(400);
  expect((await raw(main.url, "POST", "/api/auth/signin", json, "[".repeat(60_000))).status).toBe(400);
  const poisoned = '{"__proto__":{"admin":true},"username":"ada","password":"x"}';
  expect((await raw(main.url, "POST", "/api/auth/signin", json, poisoned)).status).toBe(400);
  expect((await raw(main.url, "GET", "/api/auth/me", { cookie: "a=".padEnd(30_000, "x") })).status).toBe(431);
  expect((await raw(main.url, "GET", `/api/instances/${"x".repeat(10_000)}`, {})).status).toBeGreaterThanOrEqual(400);
  expect((await ada.get("/api/auth/me")).status).toBe(200);
});

test("where sign-up is closed, it does not tell whether a name is taken", async () => {
  const main = await startMainServer({ signup: "closed" });
  const token = main.server.firstAccountToken;
  const signUp = (username: string, more: object = {}) =>
    new Browser(main.url).post("/api/auth/signup", { username, password: PASSWORD, ...more });
  expect((await signUp("ada", { token })).status).toBe(201);
  const [taken, free] = [await signUp("ada", { token }), await signUp("bob", { token })];
  expect(taken).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect(taken.body).toEqual(free.body);
});

test("sign-ins are limited for each address, whatever header claims another one", async () => {
  const main = await startMainServer({}, { limits: { signIns: 2 } });
  await signedUp(main.url, "ada");
  const signIn = (address: string) =>
    new Browser(main.url).post(
      "/api/auth/signin",
      { username: "ada", password: PASSWORD },
      { "x-forwarded-for": address },
    );
  expect([(await signIn("192.0.2.1")).status, (await signIn("192.0.2.2")).status]).toEqual([200, 200]);
  expect(await signIn("192.0.2.3")).toMatchObject({ status: 429, code: "RATE_LIMITED" });
});
