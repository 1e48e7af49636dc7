import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FaultProxy } from "./support/fault-proxy.ts";
import { Chromium, type Visit } from "./support/page.ts";
import { Registry } from "./support/registry.ts";
import { newUser } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";
import { WholeHouse } from "./support/whole-house.ts";

const ada = newUser("ada");
/** It cannot be compressed. */
const BALLAST = "RUN head -c 12M /dev/urandom > /srv/ballast";
/** So what is asked of the registry takes long enough to be looked at. */
const SLOW = { latencyMs: 300, bytesPerSecond: 4 * 1024 * 1024 };

let registry: Registry;
let toRegistry: FaultProxy;
let images: TestImages;
let house: WholeHouse;
let chromium: Chromium;
let person: SshUser;
let key: KeyPair;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  registry = await Registry.open();
  const [host = "", port] = registry.address.split(":");
  toRegistry = await FaultProxy.open({ host, port: 0 }, { host, port: Number(port) });
  images = new TestImages();
  const address = `${host}:${toRegistry.port}`;
  const big = await images.push(address, BALLAST);
  const environment = { DOCKHOST_IMAGES: `big=${big},missing=${address}/dockhost-test/missing:1` };
  [house, chromium, person] = await Promise.all([
    WholeHouse.open(ada, environment),
    Chromium.launch(),
    SshUser.arrive(),
  ]);
  key = await person.newKey("ada");
  visit = await chromium.visit(house.url);
  ({ page } = visit);
  await visit.signIn(ada);
  await page.getByText("Welcome: your first Ubuntu").waitFor();
});
afterAll(async () => {
  await visit[Symbol.asyncDispose]();
  await chromium[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
  await images[Symbol.asyncDispose]();
  await toRegistry[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

describe("a first instance", () => {
  test("that cannot be made says why where it was asked for, and nothing that was typed is lost", async () => {
    toRegistry.faults = SLOW;
    await page.getByLabel("Public key").fill(key.publicKey);
    await page.getByText("Image and limits").click();
    await page.getByLabel("Image", { exact: true }).fill("missing");
    await visit.button("Create instance").click();
    await page.getByRole("alert").getByText("dockhost-test/missing:1").waitFor();
    await visit.look("instances-welcome-failed");
    expect(await page.getByLabel("Image", { exact: true }).inputValue()).toBe("missing");
    expect(await page.getByRole("heading", { name: "Welcome: your first Ubuntu" }).isVisible()).toBe(true);
  });

  test("is seen in the making, with how much of its image has come, where it was asked for", async () => {
    await page.getByLabel("Image", { exact: true }).fill("big");
    await visit.button("Create instance").click();
    await page
      .getByRole("status")
      .getByText(/Pulling the image, [1-9]\d? %/)
      .waitFor();
    await visit.look("instances-welcome-making");
    expect(await page.getByRole("heading", { name: "Welcome: your first Ubuntu" }).isVisible()).toBe(true);
    toRegistry.faults = {};
    await page.getByLabel("SSH command", { exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/instances\/./);
  });
});
