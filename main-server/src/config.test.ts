import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "./config.ts";
import { temporaryDirectory } from "./testing/main-server.ts";

const load = (environment: Record<string, string>, directory = temporaryDirectory()) =>
  loadConfig(environment, directory);

test("with nothing said, it listens on loopback alone, must have port 3001, and lets everyone there sign up", () => {
  expect(load({})).toMatchObject({
    listen: [
      { host: "127.0.0.1", port: 3001, required: true },
      { host: "127.0.0.1", port: 3000, required: false },
    ],
    signup: "open",
    publicUrl: undefined,
    trustProxy: [],
  });
});

test("every address that is asked for must be had", () => {
  const { listen } = load({ DOCKHOST_LISTEN: "0.0.0.0:80, [::1]:8080" });
  expect(listen).toEqual([
    { host: "0.0.0.0", port: 80, required: true },
    { host: "::1", port: 8080, required: true },
  ]);
});

test("whatever makes it reachable from elsewhere closes sign-up, unless it is opened by name", () => {
  expect(load({ DOCKHOST_LISTEN: "[::1]:1,localhost:2,127.9.9.9:3" }).signup).toBe("open");
  expect(load({ DOCKHOST_LISTEN: "127.0.0.1:1,0.0.0.0:2" }).signup).toBe("closed");
  expect(load({ DOCKHOST_LISTEN: "[::]:2" }).signup).toBe("closed");
  expect(load({ DOCKHOST_LISTEN: "0.0.0.0:2", DOCKHOST_SIGNUP: "open" }).signup).toBe("open");
  expect(load({ DOCKHOST_SIGNUP: "closed" }).signup).toBe("closed");
  expect(load({ DOCKHOST_PUBLIC_URL: "https://dock.example" }).signup).toBe("closed");
  expect(load({ DOCKHOST_PUBLIC_URL: "http://localhost:3001" }).signup).toBe("open");
  expect(load({ DOCKHOST_TRUST_PROXY: "true" }).signup).toBe("closed");
});

test("all faults are told at once, in one sentence each that names the variable", () => {
  const faulty = {
    DOCKHOST_LISTEN: "3001",
    DOCKHOST_SIGNUP: "maybe",
    DOCKHOST_PUBLIC_URL: "dock.example",
    DOCKHOST_TRUST_PROXY: "everyone",
    LOG_FORMAT: "xml",
    LOG_LEVEL: "loud",
  };
  const faults = faultsOf(() => load(faulty));
  expect(faults).toHaveLength(6);
  for (const [nth, name] of Object.keys(faulty).entries())
    expect(faults[nth]).toMatch(new RegExp(`^${name} must .*\\.$`));
});

test("the file .env serves where the environment says nothing, and an empty variable says nothing", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, ".env"), "DOCKHOST_SIGNUP=closed\nLOG_LEVEL=warn\nDOCKHOST_DATA_DIR=here\n");
  const config = load({ LOG_LEVEL: "debug", DOCKHOST_SIGNUP: "" }, directory);
  expect(config).toMatchObject({ signup: "closed", log: { level: "debug" } });
  expect(config.dataDir).toMatch(/^\/.*here$/);
});

test("the configuration cannot be changed once it is read", () => {
  expect(Object.isFrozen(load({}))).toBe(true);
});

function faultsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}
