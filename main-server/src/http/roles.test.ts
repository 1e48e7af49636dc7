import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserPage } from "@dockhost/protocol/rest";
import { expect, test } from "vitest";
import WebSocket from "ws";
import { addBackend, Browser, invited, signedUp } from "../testing/browser.ts";
import { connectBackend, sshPublicKey } from "../testing/fake-backend.ts";
import { openStreams } from "../testing/far-streams.ts";
import { startMainServer, temporaryDirectory } from "../testing/main-server.ts";

const usersOf = async (admin: Browser) => UserPage.parse((await admin.get("/api/users")).body).users;
const idOf = async (admin: Browser, name: string) =>
  (await usersOf(admin)).find(({ username }) => username === name)?.id ?? "";

test("the first account is an admin's, and those of open sign-up after it are operators'", async () => {
  const { url } = await startMainServer();
  const policy = async () => (await new Browser(url).get("/api/auth/signup")).body;
  expect(await policy()).toEqual({ open: true, firstAccount: true });
  const ada = await signedUp(url, "ada");
  expect(await policy()).toEqual({ open: true, firstAccount: false });
  const others = ["bob", "eve", "joe"];
  await Promise.all(others.map((name) => signedUp(url, name)));
  const users = await usersOf(ada);
  expect(users[0]).toMatchObject({ username: "ada", role: "admin", instances: 0 });
  expect(
    users
      .slice(1)
      .map(({ username, role }) => [username, role])
      .sort(),
  ).toEqual(others.map((name) => [name, "operator"]));
});

test("of many first sign-ups at once one alone becomes an admin's", async () => {
  const { url } = await startMainServer();
  const names = Array.from({ length: 8 }, (_, nth) => `user-${nth}`);
  const browsers = await Promise.all(names.map((name) => signedUp(url, name)));
  const roles = await Promise.all(
    browsers.map(async (one) => ((await one.get("/api/auth/me")).body as { user: { role: string } }).user.role),
  );
  expect(roles.filter((role) => role === "admin")).toHaveLength(1);
});

test("a user has instances and registers no backend", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await invited(ada, "bob", "user");
  expect(await bob.post("/api/backends", { name: "mine" })).toMatchObject({
    status: 403,
    body: { error: { code: "FORBIDDEN", message: "Only operators register backends; ask an admin." } },
  });
});

test("only an admin sees everyone and gives roles", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const bobId = await idOf(ada, "bob");
  for (const answer of [
    await bob.get("/api/users"),
    await bob.put(`/api/users/${bobId}/role`, { role: "admin" }),
    await bob.post("/api/invitations", { role: "admin" }),
    await bob.get("/api/invitations"),
  ])
    expect(answer).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect((await new Browser(url).get("/api/users")).status).toBe(401);
  const promoted = await ada.put(`/api/users/${bobId}/role`, { role: "admin" });
  expect(promoted).toMatchObject({ status: 200, body: { id: bobId, username: "bob", role: "admin" } });
  expect((await bob.get("/api/users")).status).toBe(200);
  const nobody = await ada.put(`/api/users/${crypto.randomUUID()}/role`, { role: "user" });
  expect(nobody).toMatchObject({ status: 404, code: "NOT_FOUND" });
});

test("the last admin stays one, even where two take the role from each other at once", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await invited(ada, "bob", "admin");
  const [adaId, bobId] = [await idOf(ada, "ada"), await idOf(ada, "bob")];
  const answers = await Promise.all([
    ada.put(`/api/users/${bobId}/role`, { role: "operator" }),
    bob.put(`/api/users/${adaId}/role`, { role: "operator" }),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const [last, id] = answers[0].status === 200 ? [ada, adaId] : [bob, bobId];
  expect((await usersOf(last)).map(({ role }) => role).sort()).toEqual(["admin", "operator"]);
  for (const role of ["operator", "user"])
    expect(await last.put(`/api/users/${id}/role`, { role })).toMatchObject({ status: 409, code: "CONFLICT" });
  expect((await last.put(`/api/users/${id}/role`, { role: "admin" })).status).toBe(200);
});

test("an operator who loses the role keeps their backend, and registers no more", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { id, apiKey } = await addBackend(bob);
  await ada.put(`/api/users/${await idOf(ada, "bob")}/role`, { role: "user" });
  expect((await bob.post("/api/backends", { name: "another" })).status).toBe(403);
  await connectBackend(url, apiKey);
  expect((await bob.put(`/api/backends/${id}/draining`, { draining: true })).status).toBe(200);
  expect((await bob.delete(`/api/backends/${id}`)).status).toBe(200);
});

test("an admin manages what is shared, nobody else does, and others' own backends stay theirs", async () => {
  const keyFile = join(temporaryDirectory(), "local-backend.key");
  const { url } = await startMainServer({ localBackendKeyFile: keyFile });
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { id: bobs } = await addBackend(bob);
  expect((await ada.get(`/api/backends/${bobs}/keys`)).status).toBe(404);
  expect((await ada.delete(`/api/backends/${bobs}`)).status).toBe(404);
  const [shared] = ((await ada.get("/api/backends")).body as { backends: { id: string }[] }).backends;
  const path = `/api/backends/${shared?.id ?? ""}`;
  const backend = await connectBackend(url, readFileSync(keyFile, "utf8").trim());
  await expect.poll(async () => (await ada.get(path)).body).toMatchObject({ status: "online" });
  expect(await bob.put(`${path}/draining`, { draining: true })).toMatchObject({ status: 403, code: "FORBIDDEN" });
  expect((await ada.put(`${path}/draining`, { draining: true })).status).toBe(200);
  expect((await ada.post(`${path}/keys`)).status).toBe(201);
  backend.socket.io.reconnection(false);
  expect((await ada.delete(path)).status).toBe(200);
});

test("a shared backend's log is an admin's to read, until they are one no more", async () => {
  const keyFile = join(temporaryDirectory(), "local-backend.key");
  const { url } = await startMainServer({ localBackendKeyFile: keyFile });
  const ada = await signedUp(url, "ada");
  const bob = await invited(ada, "bob", "admin");
  const [shared] = ((await ada.get("/api/backends")).body as { backends: { id: string }[] }).backends;
  const backend = await connectBackend(url, readFileSync(keyFile, "utf8").trim());
  openStreams(backend, url);
  const look = (browser: Browser) =>
    new WebSocket(`${url.replace(/^http/, "ws")}/api/backends/${shared?.id ?? ""}/log`, {
      headers: { cookie: browser.headers.cookie ?? "" },
    });
  const ended = new Promise((resolve) => {
    look(bob).once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await expect.poll(() => backend.commands("open-stream")).toHaveLength(1);
  await ada.put(`/api/users/${await idOf(ada, "bob")}/role`, { role: "operator" });
  expect(await ended).toEqual({ code: 4000, reason: "You are no longer an admin; open it again." });
  const refused = new Promise((resolve) => look(bob).once("close", (_code, reason) => resolve(reason.toString())));
  expect(await refused).toBe("There is no such backend.");
});

test("users are told with how many instances they have, in pages", async () => {
  const { url } = await startMainServer();
  const ada = await signedUp(url, "ada");
  const bob = await signedUp(url, "bob");
  const { apiKey } = await addBackend(bob);
  await connectBackend(url, apiKey);
  await bob.post("/api/instances", { sshPublicKey: sshPublicKey() });
  const first = UserPage.parse((await ada.get("/api/users?limit=1")).body);
  expect(first.users).toMatchObject([{ username: "ada", instances: 0 }]);
  const rest = UserPage.parse((await ada.get(`/api/users?limit=1&cursor=${first.nextCursor ?? ""}`)).body);
  expect(rest).toMatchObject({ users: [{ username: "bob", instances: 1 }], nextCursor: null });
});
