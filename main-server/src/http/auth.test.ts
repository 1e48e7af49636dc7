import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Browser, PASSWORD, signedUp } from "../testing/browser.ts";
import { startMainServer } from "../testing/main-server.ts";

test("a newcomer signs up, is known, signs out, and is known no more", async () => {
  const { url } = await startMainServer();
  const browser = new Browser(url);
  const signUp = await browser.post("/api/auth/signup", { username: "Ada", password: PASSWORD });
  expect(signUp.status).toBe(201);
  expect(signUp.body).toEqual({
    user: {
      ...{ id: expect.any(String) as string, createdAt: expect.any(String) as string },
      ...{ username: "Ada", role: "admin" },
    },
  });
  expect(await browser.get("/api/auth/me")).toMatchObject({ status: 200, body: signUp.body });
  const cookie = browser.headers.cookie ?? "";
  expect((await browser.post("/api/auth/signout")).status).toBe(200);
  expect(await browser.get("/api/auth/me", { cookie })).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
});

test("every sign-in opens a new session and ends the one it came with", async () => {
  const { url } = await startMainServer();
  const browser = await signedUp(url, "ada");
  const former = browser.headers.cookie ?? "";
  expect((await browser.post("/api/auth/signin", { username: "ADA", password: PASSWORD })).status).toBe(200);
  expect(browser.headers.cookie).not.toBe(former);
  expect((await browser.get("/api/auth/me", { cookie: former })).status).toBe(401);
  expect((await browser.get("/api/auth/me")).status).toBe(200);
});

test("a cookie that someone planted before the sign-in is not the session after it", async () => {
  const { url } = await startMainServer();
  await signedUp(url, "ada");
  const browser = new Browser(url);
  const planted = "dockhost_session=planted";
  await browser.post("/api/auth/signin", { username: "ada", password: PASSWORD }, { cookie: planted });
  expect((await browser.get("/api/auth/me", { cookie: planted })).status).toBe(401);
});

test("a wrong user and a wrong password answer alike, to the byte", async () => {
  const { url } = await startMainServer();
  await signedUp(url, "ada");
  const browser = new Browser(url);
  const wrongPassword = await browser.post("/api/auth/signin", { username: "ada", password: "not that one" });
  const wrongUser = await browser.post("/api/auth/signin", { username: "bob", password: "not that one" });
  const impossibleUser = await browser.post("/api/auth/signin", { username: "../etc", password: "not that one" });
  expect(wrongPassword).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  expect(wrongUser.body).toEqual(wrongPassword.body);
  expect(impossibleUser).toMatchObject({ status: 401, body: wrongPassword.body });
});

test("a username is taken in whatever case, and never has a form that a backend would refuse", async () => {
  const { url } = await startMainServer();
  await signedUp(url, "Ada");
  const signUp = (username: unknown, password: unknown = PASSWORD) =>
    new Browser(url).post("/api/auth/signup", { username, password });
  expect(await signUp("aDA")).toMatchObject({ status: 409, code: "ALREADY_EXISTS" });
  for (const username of ["", "-ada", "a b", "a;b", "ä", "a".repeat(64), 7, null, undefined]) {
    expect(await signUp(username)).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  }
  for (const password of ["short", "x".repeat(257), 12345678, null]) {
    expect(await signUp("bob", password)).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  }
});

test("the session cookie is out of reach of scripts and of other sites", async () => {
  const { url } = await startMainServer();
  const answer = await new Browser(url).post("/api/auth/signup", { username: "ada", password: PASSWORD });
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^dockhost_session=[\w-]{43};/);
  for (const attribute of ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"])
    expect(cookie).toContain(attribute);
  expect(cookie).not.toContain("Secure");
});

test("behind TLS the cookie is Secure: by the trusted proxy's word, or by the public address", async () => {
  const cookieOf = async (url: string) => {
    const answer = await new Browser(url).post(
      "/api/auth/signup",
      { username: "ada", password: PASSWORD },
      { "x-forwarded-proto": "https" },
    );
    return answer.headers.get("set-cookie");
  };
  const behindProxy = await startMainServer({ trustProxy: ["loopback"] });
  expect(await cookieOf(behindProxy.url)).toContain("Secure");
  const atPublicAddress = await startMainServer({ publicUrl: "https://dock.example" });
  expect(await cookieOf(atPublicAddress.url)).toContain("Secure");
  const believingNobody = await startMainServer();
  expect(await cookieOf(believingNobody.url)).not.toContain("Secure");
});

test("neither password nor session is stored or logged as it is", async () => {
  const main = await startMainServer();
  const browser = await signedUp(main.url, "ada");
  await browser.get("/api/auth/me");
  await browser.post("/api/auth/signin", { username: "ada", password: "another long password" });
  const token = browser.headers.cookie?.split("=")[1] ?? "";
  const files = ["main-server.sqlite", "main-server.sqlite-wal"];
  const stored = files.map((file) => readFileSync(join(main.config.dataDir, file), "latin1")).join("");
  for (const secret of [PASSWORD, token, "another long password"]) {
    expect(stored).not.toContain(secret);
    expect(main.log()).not.toContain(secret);
  }
  expect(stored).toContain("$argon2id$");
  expect(main.log()).not.toContain("$argon2id$");
});

test("after too many failed sign-ins even the right password has to wait", async () => {
  const { url } = await startMainServer({}, { limits: { failedSignIns: 3 } });
  await signedUp(url, "ada");
  const signIn = (password: string) => new Browser(url).post("/api/auth/signin", { username: "ada", password });
  for (let round = 0; round < 10; round++) expect((await signIn(PASSWORD)).status).toBe(200);
  for (let round = 0; round < 3; round++) expect((await signIn("not that one")).status).toBe(401);
  expect(await signIn(PASSWORD)).toMatchObject({ status: 429, code: "RATE_LIMITED" });
});

test("sign-ups are limited for each address, and 24 in a row are none too many", async () => {
  const { url } = await startMainServer();
  const names = Array.from({ length: 24 }, (_, nth) => `user-${nth}`);
  await Promise.all(names.map((name) => signedUp(url, name)));
  const { url: strict } = await startMainServer({}, { limits: { signUps: 1 } });
  await signedUp(strict, "ada");
  const second = await new Browser(strict).post("/api/auth/signup", { username: "bob", password: PASSWORD });
  expect(second).toMatchObject({ status: 429, code: "RATE_LIMITED" });
});

test("a request from another site's page is refused, one without an Origin passes", async () => {
  const { url } = await startMainServer({ publicUrl: "https://dock.example" });
  const browser = await signedUp(url, "ada");
  const statusFrom = async (origin: string) => (await browser.get("/api/auth/me", { origin })).status;
  expect(await statusFrom(url)).toBe(200);
  expect(await statusFrom("https://dock.example")).toBe(200);
  for (const foreign of ["https://evil.example", "null", "http://127.0.0.1:1", "http://dock.example", "nonsense"]) {
    expect(await statusFrom(foreign)).toBe(403);
  }
  const signIn = await browser.post(
    "/api/auth/signin",
    { username: "ada", password: PASSWORD },
    { origin: "https://evil.example" },
  );
  expect(signIn).toMatchObject({ status: 403, code: "FORBIDDEN" });
});

test("where sign-up is closed, the first account is made with the one-time token, and no other", async () => {
  const main = await startMainServer({ signup: "closed" });
  const token = main.server.firstAccountToken ?? "";
  expect(main.server.signup).toBe("token");
  const signUp = (username: string, given?: string) =>
    new Browser(main.url).post("/api/auth/signup", { username, password: PASSWORD, token: given });
  expect(await signUp("ada")).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect((await signUp("ada", "wrong")).status).toBe(403);
  const both = await Promise.all([signUp("ada", token), signUp("bob", token)]);
  expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
  expect((await signUp("eve", token)).status).toBe(403);
  expect(main.log()).not.toContain(token);
  const again = await main.restart();
  expect(again.server).toMatchObject({ signup: "closed", firstAccountToken: undefined });
});
