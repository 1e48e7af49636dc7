import { request as send } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { AuditPage, type AuditAction, type AuditEntry } from "@dockhost/protocol/rest";
import WebSocket from "ws";
import { expect, test } from "vitest";
import { addBackend, Browser, invite, PASSWORD, signedIn, signedUp } from "../testing/browser.ts";
import { connectBackend, failure, sshPublicKey } from "../testing/fake-backend.ts";
import { openStreams } from "../testing/far-streams.ts";
import { startMainServer } from "../testing/main-server.ts";

/** Newest first. */
const auditOf = async (reader: Browser, query = ""): Promise<AuditEntry[]> =>
  AuditPage.parse((await reader.get(`/api/audit?${query}`)).body).entries;

const idIn = (body: unknown) => (body as { id: string }).id;

test("what is done to accounts, keys and invitations is on record, with who and from where", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const bob = await signedUp(main.url, "bob");
  await ada.post("/api/auth/password", { currentPassword: PASSWORD, newPassword: PASSWORD });
  const key = idIn((await ada.post("/api/keys", { sshPublicKey: sshPublicKey() })).body);
  await ada.delete(`/api/keys/${key}`);
  const { id: invitation, token } = await invite(ada, "user");
  await ada.delete(`/api/invitations/${invitation}`);
  await ada.put(`/api/users/${(await auditedUser(bob)).id}/role`, { role: "user" });
  await ada.post("/api/auth/signout");
  const again = await signedIn(main.url, "ada");
  const entries = await auditOf(again, "user=ada");
  const done = { username: "ada", outcome: "done", address: "127.0.0.1" };
  expect(entries.reverse()).toMatchObject([
    { ...done, action: "account.signed-up" },
    { ...done, action: "account.password-changed" },
    { ...done, action: "saved-key.added", subject: key },
    { ...done, action: "saved-key.removed", subject: key },
    { ...done, action: "invitation.created", subject: invitation, detail: "user" },
    { ...done, action: "invitation.revoked", subject: invitation },
    { ...done, action: "account.role-changed", subject: "bob", detail: "user" },
    { ...done, action: "account.signed-out" },
    { ...done, action: "account.signed-in" },
  ]);
  const told = JSON.stringify(await auditOf(again));
  const cookie = again.headers.cookie?.split("=")[1] ?? "";
  for (const secret of [PASSWORD, token, cookie]) expect(told).not.toContain(secret);
});

const auditedUser = async (browser: Browser) =>
  ((await browser.get("/api/auth/me")).body as { user: { id: string } }).user;

test("what is done to backends and instances is on record", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const { id: backendId, apiKey } = await addBackend(ada, "far end");
  const backend = await connectBackend(main.url, apiKey);
  await ada.put(`/api/backends/${backendId}/draining`, { draining: true });
  await ada.put(`/api/backends/${backendId}/draining`, { draining: false });
  const minted = (await ada.post(`/api/backends/${backendId}/keys`)).body as { key: { id: string }; apiKey: string };
  await ada.delete(`/api/backends/${backendId}/keys/${minted.key.id}`);
  const id = idIn((await ada.post("/api/instances", { sshPublicKey: sshPublicKey() })).body);
  await ada.post(`/api/instances/${id}/stop`);
  await ada.post(`/api/instances/${id}/start`);
  await ada.put(`/api/instances/${id}/keys`, { sshPublicKeys: [sshPublicKey()] });
  const farEnds = openStreams(backend, main.url);
  const over = closed(ada, `/api/instances/${id}/shell`);
  await expect.poll(() => farEnds[0]?.readyState).toBe(WebSocket.OPEN);
  farEnds[0]?.close(1000);
  await over;
  await ada.delete(`/api/instances/${id}`);
  backend.socket.io.reconnection(false);
  await ada.delete(`/api/backends/${backendId}`);
  const entries = (await auditOf(ada)).reverse();
  expect(entries.every(({ outcome }) => outcome === "done")).toBe(true);
  // What is gone by now is told by its name all the same.
  expect(entries.map(({ action, subject, subjectName }) => [action, subject, subjectName])).toEqual([
    ["account.signed-up", null, null],
    ["backend.registered", backendId, "far end"],
    ["backend.drained", backendId, "far end"],
    ["backend.undrained", backendId, "far end"],
    ["backend-key.minted", backendId, "far end"],
    ["backend-key.revoked", backendId, "far end"],
    ["instance.created", id, "far end"],
    ["instance.stopped", id, "far end"],
    ["instance.started", id, "far end"],
    ["instance.keys-replaced", id, "far end"],
    ["shell.opened", id, "far end"],
    ["instance.deleted", id, "far end"],
    ["backend.deleted", backendId, "far end"],
  ]);
  for (const secret of [apiKey, minted.apiKey]) expect(JSON.stringify(entries)).not.toContain(secret);
});

async function closed(browser: Browser, path: string): Promise<void> {
  const { headers } = browser;
  const socket = new WebSocket(browser.url.replace(/^http/, "ws") + path, { headers });
  await new Promise((resolve) => socket.once("close", resolve));
}

test("what was refused or has failed is on record with its sentence", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const { id: backendId, apiKey } = await addBackend(ada);
  const backend = await connectBackend(main.url, apiKey);
  const id = idIn((await ada.post("/api/instances", { sshPublicKey: sshPublicKey() })).body);
  backend.scripts.set("stop-container", () => failure("ENGINE_UNAVAILABLE"));
  await ada.post(`/api/instances/${id}/stop`);
  await ada.delete(`/api/backends/${backendId}`);
  await closed(ada, "/api/instances/none/shell");
  const [shell, deleted, stopped] = await auditOf(ada);
  const because = (outcome: string, detail: string) => ({ username: "ada", outcome, detail });
  expect(shell).toMatchObject({ action: "shell.opened", ...because("refused", "There is no such instance.") });
  expect(deleted).toMatchObject({ action: "backend.deleted", subject: backendId, outcome: "refused" });
  expect(stopped).toMatchObject({
    ...{ action: "instance.stopped", subject: id },
    ...because("failed", "It failed with ENGINE_UNAVAILABLE."),
  });
});

test("a failed sign-in is on the record of the account that was meant, and what else was typed is on none", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const browser = new Browser(url);
  await browser.post("/api/auth/signin", { username: "BOB", password: "not that one" });
  await browser.post("/api/auth/signin", { username: "my secret password", password: "oh" });
  const failed = { action: "account.sign-in-failed", outcome: "refused" };
  expect(await auditOf(ada, "action=account.sign-in-failed")).toMatchObject([
    { ...failed, username: null, subject: null },
    { ...failed, username: "bob" },
  ]);
  expect(await auditOf(bob, "action=account.sign-in-failed")).toMatchObject([{ ...failed, username: "bob" }]);
  expect(JSON.stringify(await auditOf(ada))).not.toContain("secret");
});

test("an admin reads everything, by user and by action; everyone else what is their own", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  await bob.post("/api/keys", { sshPublicKey: sshPublicKey() });
  const acts = async (reader: Browser, query = "") =>
    (await auditOf(reader, query)).map(({ username, action }) => `${username}: ${action}`);
  const bobs = ["bob: saved-key.added", "bob: account.signed-up"];
  expect(await acts(ada)).toEqual([...bobs, "ada: account.signed-up"]);
  expect(await acts(ada, "user=Bob")).toEqual(bobs);
  expect(await acts(ada, "user=bob&action=saved-key.added")).toEqual(bobs.slice(0, 1));
  expect(await acts(ada, "user=nobody")).toEqual([]);
  expect(await acts(bob)).toEqual(bobs);
  expect(await acts(bob, "user=ada")).toEqual([]);
  expect(await bob.get("/api/audit?action=nonsense")).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  const first = AuditPage.parse((await ada.get("/api/audit?limit=2")).body);
  expect(await acts(ada, `limit=2&cursor=${first.nextCursor ?? ""}`)).toEqual(["ada: account.signed-up"]);
  expect(await bob.get(`/api/audit?cursor=${first.nextCursor ?? ""}`)).toMatchObject({ status: 400 });
  expect((await new Browser(url).get("/api/audit")).status).toBe(401);
});

test("a refusal names nothing: whose it is not learns nothing of it by the record", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { id: backendId, apiKey } = await addBackend(ada, "secret lab");
  await connectBackend(url, apiKey);
  const id = idIn((await ada.post("/api/instances", { sshPublicKey: sshPublicKey() })).body);
  await bob.delete(`/api/instances/${id}`);
  await bob.delete(`/api/backends/${backendId}`);
  await closed(bob, `/api/instances/${id}/shell`);
  const refused = (await auditOf(bob)).filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ subject }) => subject)).toEqual([id, backendId, id]);
  expect(JSON.stringify(refused)).not.toContain("secret lab");
});

test("an act whose caller has gone before the answer is on record all the same", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const { apiKey } = await addBackend(ada);
  const backend = await connectBackend(url, apiKey);
  const headers = { cookie: ada.headers.cookie ?? "", "content-type": "application/json" };
  backend.scripts.set("create-container", (request) => {
    asked.destroy();
    return new Promise((resolve) => setTimeout(() => resolve(backend.obey("create-container", request)), 100));
  });
  const asked = send(`${url}/api/instances`, { method: "POST", headers });
  asked.on("error", () => undefined).end(JSON.stringify({ sshPublicKey: sshPublicKey() }));
  const created = { action: "instance.created", outcome: "done", username: "ada", address: "127.0.0.1" };
  await expect.poll(() => auditOf(ada, "action=instance.created")).toMatchObject([created]);
});

test("behind a trusted proxy an act comes from the address that the proxy names, a shell too", async () => {
  const addressesAt = async (trustProxy: string[]) => {
    const { url } = await startMainServer({ trustProxy });
    const ada = await signedUp(url, "ada");
    ada.headers["x-forwarded-for"] = "203.0.113.9";
    await ada.delete("/api/instances/none");
    await closed(ada, "/api/instances/none/shell");
    return (await auditOf(ada)).slice(0, 2).map(({ address }) => address);
  };
  expect(await addressesAt(["loopback"])).toEqual(["203.0.113.9", "203.0.113.9"]);
  expect(await addressesAt([])).toEqual(["127.0.0.1", "127.0.0.1"]);
});

test("nobody floods the record with what they were refused, nor with what nobody did", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  await Promise.all(Array.from({ length: 80 }, () => bob.delete("/api/instances/none")));
  await new Browser(url).delete("/api/instances/none");
  await bob.post("/api/keys", { sshPublicKey: sshPublicKey() });
  expect(await auditOf(ada, "limit=100&action=instance.deleted")).toHaveLength(60);
  expect(await auditOf(ada, "action=saved-key.added")).toHaveLength(1);
});

test("a record that cannot be written fails nothing that it is about", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  const database = new DatabaseSync(join(main.config.dataDir, "main-server.sqlite"));
  database.exec("drop table audit_entries");
  database.close();
  expect((await ada.post("/api/keys", { sshPublicKey: sshPublicKey() })).status).toBe(201);
  await expect.poll(() => main.log()).toContain("could not be put on record");
});

test("what was done is still on record after a restart", async () => {
  const main = await startMainServer();
  const ada = await signedUp(main.url, "ada");
  await ada.post("/api/keys", { sshPublicKey: sshPublicKey() });
  await main.restart();
  const actions: AuditAction[] = (await auditOf(ada)).map(({ action }) => action);
  expect(actions).toEqual(["saved-key.added", "account.signed-up"]);
});
