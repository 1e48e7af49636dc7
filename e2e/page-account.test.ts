import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MainServerProcess } from "./support/main-server-process.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { freePort } from "./support/ports.ts";
import { PASSWORD, RestUser } from "./support/rest-user.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

const USERNAME = "ada";
const NEXT_PASSWORD = "staple for a donkey";

let folder: string;
let server: MainServerProcess;
let url: string;
let chromium: Chromium;
let person: SshUser;
let key: KeyPair;
let account: RestUser;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-account-"));
  server = new MainServerProcess(join(folder, "main-server"), await freePort());
  [url, chromium, person] = await Promise.all([server.ready(), Chromium.launch(), SshUser.arrive()]);
  key = await person.newKey("ada@laptop");
  account = await RestUser.signUp(url, USERNAME);
  visit = await chromium.visit(url);
  ({ page } = visit);
  await visit.signIn(USERNAME);
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("what was done a moment ago stands in the history at once, also for who has just looked there", async () => {
  await visit.link("History").click();
  await page.getByText("account signed in").first().waitFor();
  await visit.link("Account").click();
  await page.getByText("Save another key").click();
  await page.getByLabel("Public key").fill(key.publicKey);
  await visit.button("Save key").click();
  await visit.button("Remove").waitFor();
  await visit.link("History").click();
  await page.getByRole("main").getByText("saved key added").waitFor();
});

test("a saved key is offered by its name, and is not any more once it is removed", async () => {
  await visit.link("Account").click();
  await visit.button("Remove").click();
  await visit.confirm("Remove");
  await page.getByText("None is saved yet.").waitFor();
});

test("the history shows its newest fifty, more when asked, and to the second when each was", async () => {
  for (let time = 0; time < 25; time += 1) {
    const saved = await account.call("POST", "/api/keys", { sshPublicKey: key.publicKey });
    const { id } = saved.body as { id: string };
    await account.call("DELETE", `/api/keys/${id}`);
  }
  await visit.link("History").click();
  const entries = page.getByRole("main").getByRole("listitem");
  await expect.poll(() => entries.count()).toBe(50);
  await visit.button("Show more").click();
  await page.getByText("account signed in").first().waitFor();
  expect(await entries.count()).toBeGreaterThan(50);
  expect(await visit.button("Show more").count()).toBe(0);
  const time = entries.first().locator("time");
  const told = Date.parse((await time.getAttribute("title")) ?? "");
  expect(told).toBe(Math.floor(Date.parse((await time.getAttribute("datetime")) ?? "") / 1_000) * 1_000);
  await visit.link("Account").click();
});

test("a session on another machine is listed, and whoever sits there is out once it is ended", async () => {
  await using other = await chromium.visit(url);
  await other.signIn(USERNAME);
  await other.page.getByRole("heading", { name: "Instances" }).waitFor();
  await other.link("Account").click();
  await other.page.getByRole("heading", { name: "Account" }).waitFor();
  await page.reload();
  await visit.button("End").first().click();
  await visit.confirm("End");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await other.page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(new URL(other.page.url()).searchParams.get("from")).toBe("/account");
});

test("who changes the password stays in, and comes in by the new one alone", async () => {
  await page.getByLabel("Current password").fill("not the password");
  await page.getByLabel("New password").fill(NEXT_PASSWORD);
  await visit.button("Change password").click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Current password").fill(PASSWORD);
  await visit.button("Change password").click();
  await page.getByText("The password is changed.").waitFor();
  await using other = await chromium.visit(url);
  await other.signIn(USERNAME);
  await other.page.getByRole("alert").waitFor();
  await other.signIn(USERNAME, NEXT_PASSWORD);
  await other.page.getByRole("heading", { name: "Instances" }).waitFor();
});
