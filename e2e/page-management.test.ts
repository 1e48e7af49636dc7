import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Chromium, type Visit } from "./support/page.ts";
import { PASSWORD, RestUser } from "./support/rest-user.ts";
import { newUser } from "./support/site.ts";
import { WholeHouse } from "./support/whole-house.ts";

const [ada, grace] = [newUser("ada"), newUser("grace")];
/** As `WholeHouse` has registered it. */
const BACKEND = "one";

let house: WholeHouse;
let chromium: Chromium;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  [house, chromium] = await Promise.all([WholeHouse.open(ada), Chromium.launch()]);
  await RestUser.signUp(house.url, grace);
  visit = await chromium.visit(house.url);
  ({ page } = visit);
  await visit.signIn(ada);
  await page.getByRole("heading", { name: "Instances" }).waitFor();
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
});
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await visit.screenshots(`failed at ${task.name}`);
});

test("whom an admin makes a user registers no backends, and whom they make an operator does", async () => {
  await using other = await chromium.visit(house.url);
  await other.signIn(grace);
  await other.link("Backends").click();
  const register = other.page.getByRole("link", { name: "Register a backend" }).first();
  await visit.link("People").click();
  for (const [role, state] of [
    ["user", "detached"],
    ["operator", "visible"],
  ] as const) {
    const saved = page.waitForResponse((response) => response.request().method() === "PUT" && response.ok());
    await page.getByLabel(`Role of ${grace}`).selectOption(role);
    await saved;
    await other.page.reload();
    await other.page.getByText("No machine is lent here yet.").waitFor();
    await register.waitFor({ state });
  }
});

test("an admin's invitation that is revoked makes nobody an admin any more", async () => {
  await page.getByLabel("Role", { exact: true }).selectOption("admin");
  await visit.button("Make an invitation").click();
  const address = await page.getByLabel("Invitation link", { exact: true }).textContent();
  await visit.button("Revoke").click();
  await page.getByText("Its link makes no account any more.").waitFor();
  await visit.confirm("Revoke");
  await page.getByText("There is none.").waitFor();
  // Sign-up is open here: the account is made, as it would be without an invitation.
  await using guest = await chromium.visit(address ?? "");
  await guest.page.getByLabel("Username").fill(newUser("linus"));
  await guest.page.getByLabel("Password").fill(PASSWORD);
  await guest.page.getByRole("button", { name: "Make the account" }).click();
  await guest.page.getByRole("heading", { name: "Instances" }).waitFor();
  expect(await guest.page.getByRole("link", { name: "People" }).count()).toBe(0);
});

test("a backend whose key is revoked is gone at once, and so says the page without a reload", async () => {
  await visit.link("Backends").click();
  await visit.link(BACKEND).click();
  await page.getByText("available", { exact: true }).waitFor();
  await visit.link("API keys").click();
  await visit.button("Revoke").click();
  await page.getByText("is disconnected at once and cannot come back with it").waitFor();
  await visit.confirm("Revoke");
  await page.getByText("offline", { exact: true }).waitFor();
  await page.getByText("No key is valid: this backend cannot connect.").waitFor();
  await visit.look("backend-without-key");
});

test("a backend is deleted by who types its name, and by nobody else", async () => {
  await visit.link("Settings").click();
  await visit.button("Delete backend").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Its keys become invalid and its program is disconnected.").waitFor();
  expect(await dialog.getByRole("button", { name: "Delete backend" }).isDisabled()).toBe(true);
  await dialog.getByLabel(`Type “${BACKEND}” to go on`).fill(BACKEND);
  await visit.confirm("Delete backend");
  await page.getByText("No machine is lent here yet.").waitFor();
});
