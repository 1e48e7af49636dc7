import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import * as z from "zod";
import { Browser, signedUp } from "../testing/browser.ts";
import { startMainServer } from "../testing/main-server.ts";

test("the health answer says that the server serves", async () => {
  const { url } = await startMainServer();
  const { status, body } = await new Browser(url).get("/health");
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: "ok", version: "3.0.0" });
});

test("every failure has the same shape, whatever went wrong", async () => {
  const { url } = await startMainServer();
  const browser = new Browser(url);
  expect(await browser.get("/nowhere")).toMatchObject({ status: 404, code: "NOT_FOUND" });
  expect(await browser.get("/api/instances")).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  expect(await browser.post("/api/instances", {})).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  expect(await browser.post("/api/auth/signup", [])).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  const huge = await browser.post("/api/auth/signup", { username: "x".repeat(100_000) });
  expect(huge).toMatchObject({ status: 413, code: "TOO_LARGE" });
  const headers = { "content-type": "application/json" };
  const malformed = await fetch(`${url}/api/auth/signup`, { method: "POST", body: "{", headers });
  expect(malformed.status).toBe(400);
  expect(await malformed.json()).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
  const form = await fetch(`${url}/api/auth/signup`, {
    method: "POST",
    body: "a=b",
    headers: { "content-type": "a/b" },
  });
  expect(await form.json()).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
});

test("a fault of our own is told as INTERNAL, and what broke is for the log alone", async () => {
  const main = await startMainServer();
  const browser = await signedUp(main.url, "ada");
  const database = new DatabaseSync(join(main.config.dataDir, "main-server.sqlite"));
  database.exec("drop table instances");
  database.close();
  const answer = await browser.get("/api/instances");
  expect(answer).toMatchObject({ status: 500, code: "INTERNAL" });
  expect(JSON.stringify(answer.body)).not.toMatch(/instances|sql|table/i);
  expect(main.log()).toContain("no such table");
});

test("programs get the OpenAPI document, and browsers its page, at the same address", async () => {
  const { url } = await startMainServer();
  const browser = new Browser(url);
  const Document = z.object({ openapi: z.literal("3.1.0"), paths: z.record(z.string(), z.unknown()) });
  for (const path of ["/api/docs", "/api/docs/json"]) {
    const { paths } = Document.parse((await browser.get(path)).body);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        "/api/auth/signup",
        "/api/auth/me",
        "/api/backends/{id}/keys/{keyId}",
        "/api/instances/{id}/start",
        "/health",
      ]),
    );
  }
  const page = await browser.get("/api/docs", { accept: "text/html,application/xhtml+xml" });
  expect(page.headers.get("content-type")).toContain("text/html");
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
});

test("a client may name JSON as the type of a body that it does not send", async () => {
  const { url } = await startMainServer();
  const signOut = await new Browser(url).post("/api/auth/signout", undefined, { "content-type": "application/json" });
  expect(signOut.status).toBe(200);
});
