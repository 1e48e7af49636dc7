import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MainServerProcess } from "./support/main-server-process.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { freePort } from "./support/ports.ts";
import { RestUser } from "./support/rest-user.ts";

const FIRST_LOAD_KIB = 200;

let folder: string;
let server: MainServerProcess;
let chromium: Chromium;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-page-"));
  server = new MainServerProcess(join(folder, "main-server"), await freePort());
  [url, chromium] = await Promise.all([server.ready(), Chromium.launch()]);
});
afterAll(async () => {
  await chromium[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Opens an address of the page, and waits until its script has shown something. */
async function visit(path: string): Promise<Visit> {
  const visit = await chromium.visit(url + path);
  await visit.page.getByRole("heading", { level: 1 }).waitFor();
  return visit;
}

/** What came over the line but the API's answers, in KiB, as compressed as it came. */
async function loadedKiB({ requests }: Visit): Promise<number> {
  const ofPage = requests.filter((request) => !new URL(request.url()).pathname.startsWith("/api/"));
  const sizes = await Promise.all(ofPage.map((request) => request.sizes()));
  return sizes.reduce((sum, size) => sum + size.responseHeadersSize + size.responseBodySize, 0) / 1024;
}

test("the page loads within its policy, and asks whoever is not signed in to do so", async () => {
  await using sight = await visit("/");
  expect(new URL(sight.page.url()).pathname).toBe("/sign-in");
  await sight.page.getByLabel("Password").waitFor();
  expect(sight.complaints).toEqual([]);
  await sight.look("sign-in");
});

test("a first load is small, and everything of it comes from the main server", async () => {
  await using sight = await visit("/");
  await sight.page.waitForLoadState("networkidle");
  const scripts = sight.requests.filter((request) => request.resourceType() === "script");
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) {
    expect(await (await script.response())?.headerValue("content-encoding")).toMatch(/^(br|gzip)$/);
  }
  expect(await loadedKiB(sight)).toBeLessThanOrEqual(FIRST_LOAD_KIB);
  expect(sight.requests.map((request) => new URL(request.url()).origin)).toEqual(sight.requests.map(() => url));
});

test("nobody is kept out of the sign-in page, by WCAG 2.2 AA, in either theme", async () => {
  await using sight = await visit("/sign-in");
  for (const colorScheme of ["light", "dark"] as const) {
    await sight.page.emulateMedia({ colorScheme });
    expect(await sight.barriers()).toEqual([]);
  }
});

test("nothing moves before whoever has asked for stillness", async () => {
  await using sight = await visit("/sign-in");
  const { page } = sight;
  const moving = () => page.evaluate<string>('getComputedStyle(document.querySelector("button")).transitionProperty');
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await moving()).toContain("color");
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await moving()).toBe("none");
});

test("a link deep into the page leads there, with the sign-in on the way", async () => {
  await RestUser.signUp(url, "ada");
  await using sight = await visit("/account?of=ada");
  await sight.signIn("ada");
  await sight.page.waitForURL(/\/account/);
  await sight.page.getByRole("heading", { level: 1 }).waitFor();
  await sight.page.reload();
  await sight.page.getByRole("heading", { level: 1 }).waitFor();
  expect(new URL(sight.page.url()).pathname).toBe("/account");
  expect(sight.complaints).toEqual([]);
});

test("whoever goes back after signing out signs in first, and is then where they were", async () => {
  await RestUser.signUp(url, "grace");
  await using sight = await visit("/account");
  for (const back of [false, true]) {
    if (back) await sight.page.goBack();
    await sight.signIn("grace");
    await sight.page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    await sight.page.getByRole("button", { name: "Sign out" }).click();
    await sight.page.waitForURL((address) => address.pathname === "/sign-in");
    await sight.page.getByRole("heading", { name: "Sign in" }).waitFor();
  }
});

test("what is smuggled into the page neither runs nor is passed over", async () => {
  await using sight = await visit("/sign-in");
  const smuggle = `document.head.append(Object.assign(document.createElement("script"), { text: "window.ran = true" }));
    document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/elsewhere.png" })); window.ran`;
  expect(await sight.page.evaluate(smuggle)).toBeUndefined();
  await expect.poll(() => sight.complaints.join("\n")).toMatch(/script-src-elem forbids inline/);
  await expect.poll(() => sight.complaints.join("\n")).toMatch(/img-src forbids http:\/\/127\.0\.0\.1:9/);
});

test("an unknown address of the API is told in JSON, even to a browser", async () => {
  const answer = await fetch(`${url}/api/nowhere`, { headers: { accept: "text/html" } });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { code: "NOT_FOUND" } });
});

test("the API's description shows itself within a policy as strict", async () => {
  await using sight = await chromium.visit(`${url}/api/docs`);
  await sight.page.locator(".opblock").first().waitFor();
  await sight.page.locator(".opblock-summary").first().click();
  await sight.page.locator(".opblock-body").first().waitFor();
  expect(sight.complaints).toEqual([]);
});
