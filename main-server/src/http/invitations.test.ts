import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { InvitationPage } from "@dockhost/protocol/rest";
import { expect, test } from "vitest";
import { Browser, invite, PASSWORD, signedUp } from "../testing/browser.ts";
import { startMainServer } from "../testing/main-server.ts";

/** A main server whose sign-up is closed, and its admin. */
async function scene() {
  const main = await startMainServer({ signup: "closed" });
  const admin = new Browser(main.url);
  const token = main.server.firstAccountToken;
  const first = await admin.post("/api/auth/signup", { username: "ada", password: PASSWORD, token });
  expect(first).toMatchObject({ status: 201, body: { user: { role: "admin" } } });
  const signUp = (username: string, token: string | undefined) =>
    new Browser(main.url).post("/api/auth/signup", { username, password: PASSWORD, token });
  return { main, admin, signUp };
}

const invitationsOf = async (admin: Browser) =>
  InvitationPage.parse((await admin.get("/api/invitations")).body).invitations;

test("an invitation makes one account, of its role, while sign-up is closed", async () => {
  const { admin, signUp } = await scene();
  expect((await signUp("bob", undefined)).status).toBe(403);
  const made = await admin.post("/api/invitations", { role: "user", note: "for Bob" });
  expect(made.status).toBe(201);
  const { invitation, token } = made.body as { invitation: { id: string; expiresAt: string }; token: string };
  expect(Buffer.from(token, "base64url")).toHaveLength(32);
  const days = (Date.parse(invitation.expiresAt) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(6.9);
  expect(days).toBeLessThanOrEqual(7);
  expect(await invitationsOf(admin)).toEqual([invitation]);
  expect(invitation).toMatchObject({ role: "user", note: "for Bob", createdBy: "ada" });
  expect(await signUp("bob", token)).toMatchObject({ status: 201, body: { user: { username: "bob", role: "user" } } });
  expect(await signUp("eve", token)).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect(await invitationsOf(admin)).toEqual([]);
});

test("of many sign-ups at once with one invitation one alone makes an account", async () => {
  const { admin, signUp } = await scene();
  const { token } = await invite(admin, "operator");
  const answers = await Promise.all(["bob", "eve", "joe", "kim"].map((name) => signUp(name, token)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403]);
  const { body } = await admin.get("/api/users");
  expect((body as { users: unknown[] }).users).toHaveLength(2);
});

test("an invitation is not spent by a sign-up that fails", async () => {
  const { admin, signUp } = await scene();
  const { token } = await invite(admin, "user");
  expect(await signUp("ADA", token)).toMatchObject({ status: 409, code: "ALREADY_EXISTS" });
  expect((await signUp("bob", token)).status).toBe(201);
});

test("an invitation that was revoked, or is older than seven days, makes no account", async () => {
  const { main, admin, signUp } = await scene();
  const [revoked, aged] = [await invite(admin, "user"), await invite(admin, "user")];
  expect(await admin.delete(`/api/invitations/${revoked.id}`)).toMatchObject({ status: 200, body: { deleted: true } });
  expect((await admin.delete(`/api/invitations/${revoked.id}`)).status).toBe(404);
  expect((await signUp("bob", revoked.token)).status).toBe(403);
  const database = new DatabaseSync(join(main.config.dataDir, "main-server.sqlite"));
  database.prepare("update invitations set expires_at = ? where id = ?").run(new Date().toISOString(), aged.id);
  database.close();
  expect((await signUp("bob", aged.token)).status).toBe(403);
  expect(await invitationsOf(admin)).toEqual([]);
});

test("an invitation gives its role where sign-up is open, too", async () => {
  const { url } = await startMainServer();
  const { token } = await invite(await signedUp(url, "ada"), "user");
  const answer = await new Browser(url).post("/api/auth/signup", { username: "bob", password: PASSWORD, token });
  expect(answer).toMatchObject({ status: 201, body: { user: { role: "user" } } });
});

test("an invitation's token is told once: neither the store, nor the log, nor any later answer has it", async () => {
  const { main, admin } = await scene();
  const { token } = await invite(admin, "user");
  const files = ["main-server.sqlite", "main-server.sqlite-wal"];
  const stored = files.map((file) => readFileSync(join(main.config.dataDir, file), "latin1")).join("");
  const answers = JSON.stringify([(await admin.get("/api/invitations")).body, (await admin.get("/api/audit")).body]);
  for (const text of [stored, main.log(), answers]) expect(text).not.toContain(token);
  expect(answers).not.toMatch(/[0-9a-f]{64}/);
});
