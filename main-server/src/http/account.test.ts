import * as z from "zod";
import { expect, test } from "vitest";
import { PASSWORD, signedIn, signedUp, type Browser } from "../testing/browser.ts";
import { sshPublicKey } from "../testing/fake-backend.ts";
import { startMainServer } from "../testing/main-server.ts";

const Sessions = z.object({
  sessions: z.array(z.object({ id: z.string(), current: z.boolean(), userAgent: z.string().nullable() })),
});

const sessionsOf = async (browser: Browser) => Sessions.parse((await browser.get("/api/auth/sessions")).body).sessions;

test("a person sees their sessions, newest first, and ends one", async () => {
  const { url } = await startMainServer();
  const first = await signedUp(url, "ada");
  const second = await signedIn(url, "ada");
  await signedUp(url, "bob");
  const sessions = await sessionsOf(second);
  expect(sessions.map(({ current }) => current)).toEqual([true, false]);
  expect(sessions[1]?.userAgent).toContain("node");
  const [, other] = sessions;
  expect(await second.delete(`/api/auth/sessions/${other?.id}`)).toMatchObject({ status: 200 });
  expect((await first.get("/api/auth/me")).status).toBe(401);
  expect((await second.get("/api/auth/me")).status).toBe(200);
  expect(await sessionsOf(second)).toHaveLength(1);
});

test("nobody ends another's session", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const [session] = await sessionsOf(ada);
  expect(await bob.delete(`/api/auth/sessions/${session?.id}`)).toMatchObject({ status: 404, code: "NOT_FOUND" });
  expect((await ada.get("/api/auth/me")).status).toBe(200);
});

test("who changes the password needs the current one, and ends every other session", async () => {
  const { url } = await startMainServer();
  const thief = await signedUp(url, "ada");
  const ada = await signedIn(url, "ada");
  const newPassword = "another horse battery";
  const change = (currentPassword: string, wanted = newPassword) =>
    ada.post("/api/auth/password", { currentPassword, newPassword: wanted });
  expect(await change("wrong")).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect(await change(PASSWORD, "short")).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  expect((await thief.get("/api/auth/me")).status).toBe(200);
  expect(await change(PASSWORD)).toMatchObject({ status: 200 });
  expect((await thief.get("/api/auth/me")).status).toBe(401);
  expect((await ada.get("/api/auth/me")).status).toBe(200);
  expect((await thief.post("/api/auth/signin", { username: "ada", password: PASSWORD })).status).toBe(401);
  await signedIn(url, "ada", newPassword);
});

test("keys are saved once each, told oldest first to their owner alone, and removed", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const line = sshPublicKey();
  const saved = await ada.post("/api/keys", { sshPublicKey: `${line}\n`, name: "laptop" });
  expect(saved).toMatchObject({ status: 201, body: { name: "laptop" } });
  expect((saved.body as { fingerprint: string }).fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  expect(await ada.post("/api/keys", { sshPublicKey: line })).toMatchObject({ status: 409, code: "ALREADY_EXISTS" });
  expect(await bob.post("/api/keys", { sshPublicKey: line })).toMatchObject({ status: 201 });
  expect(await ada.post("/api/keys", { sshPublicKey: "no key" })).toMatchObject({ status: 400, code: "INVALID_KEY" });
  const other = await ada.post("/api/keys", { sshPublicKey: sshPublicKey() });
  expect((await ada.get("/api/keys")).body).toEqual({ keys: [saved.body, other.body], nextCursor: null });
  const path = `/api/keys/${(saved.body as { id: string }).id}`;
  expect(await bob.delete(path)).toMatchObject({ status: 404 });
  expect(await ada.delete(path)).toMatchObject({ status: 200 });
  expect((await ada.get("/api/keys")).body).toEqual({ keys: [other.body], nextCursor: null });
});
