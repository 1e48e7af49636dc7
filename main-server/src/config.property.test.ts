import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import fastify from "fastify";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { type Config, ConfigError, loadConfig, VARIABLES } from "./config.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };

const directory = mkdtempSync(join(tmpdir(), "dockhost-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** The configuration, or what is said of its faults; whatever else is thrown fails the test. */
function read(environment: Record<string, string>): Config | readonly string[] {
  try {
    return loadConfig(environment, directory);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const isConfig = (outcome: Config | readonly string[]): outcome is Config => !Array.isArray(outcome);
const faultsOf = (outcome: Config | readonly string[]): readonly string[] => (isConfig(outcome) ? [] : outcome);

const network = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.constantFrom("", "/0", "/00", "/1", "/8", "/32", "/33", "/128", "/x", "/"))
  .map((parts) => parts.join(""));
const text = fc.oneof(
  fc.constantFrom(
    ...["", " ", "\0", "~/x", "x\n", "open", "closed", "open ", "true", "no", "json", "debug", "loopback", "loopback,"],
    ...["127.0.0.1:3001", "127.0.0.1:0", "[::1]:80,localhost:1", "0.0.0.0:65536", ":80", "3001", "::1:80", "a b:80"],
    ...[
      "https://x",
      "https://u:p@x",
      "http://x?k=v",
      "http:x",
      "ftp://x",
      "https://x/\n",
      "https://x#y",
      "http://[::1",
    ],
  ),
  network,
  fc.array(network, { maxLength: 3 }).map((list) => list.join(",")),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const environment = fc.dictionary(fc.constantFrom(...VARIABLES, "XDG_DATA_HOME", "HOME"), text, { maxKeys: 4 });

test("whatever the environment holds makes a sound configuration or sentences that each name a setting", () => {
  fc.assert(
    fc.property(environment, (given) => {
      const outcome = read(given);
      if (isConfig(outcome)) expectSound(outcome);
      else expect(outcome).not.toEqual([]);
      for (const fault of faultsOf(outcome)) {
        expect(VARIABLES).toContain(fault.split(" ")[0]);
        expect(fault).toMatch(/^\S+ must be .*\.$/);
      }
    }),
    CASES,
  );
});

test("all faults are told at once, each as if it were the only one", () => {
  fc.assert(
    fc.property(environment, (given) => {
      const alone = Object.entries(given).flatMap(([name, value]) => faultsOf(read({ [name]: value })));
      expect([...faultsOf(read(given))].sort()).toEqual(alone.sort());
    }),
    CASES,
  );
});

test("the HTTP server takes every proxy that the configuration takes", () => {
  fc.assert(
    fc.property(network, (given) => {
      const outcome = read({ DOCKHOST_TRUST_PROXY: given });
      if (isConfig(outcome)) expect(() => fastify({ trustProxy: [...outcome.trustProxy] })).not.toThrow();
    }),
    // A server for each is slow.
    { numRuns: 200 },
  );
});

test("a file .env may hold any bytes: what comes of them is a configuration or a sentence", () => {
  const line = fc.tuple(fc.constantFrom(...VARIABLES, "export", "#"), fc.constantFrom("=", ":", ""), text);
  const lines = fc.array(line, { maxLength: 5 }).map((all) => all.map((parts) => parts.join("")).join("\r\n"));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    lines.map((content) => Buffer.from(content)),
    lines.map((content) => Buffer.from(content, "utf16le")),
  );
  const file = join(directory, ".env");
  fc.assert(
    fc.property(bytes, (content) => {
      writeFileSync(file, content);
      const outcome = read({});
      rmSync(file);
      if (isConfig(outcome)) expectSound(outcome);
      if (content.includes(0)) expect(outcome).toEqual([expect.stringMatching(/\.env .* must be .* UTF-8\.$/)]);
    }),
    CASES,
  );
});

/** What every user of the configuration relies on. */
function expectSound(config: Config): void {
  const { listen, publicUrl, trustProxy, log } = config;
  expect([config, listen, ...listen, trustProxy, log].every((part) => Object.isFrozen(part))).toBe(true);
  expect(isAbsolute(config.dataDir)).toBe(true);
  expect(config.dataDir).not.toContain("\0");
  expect(config.dataDir.startsWith(join(process.cwd(), "~"))).toBe(false);
  expect(listen.length).toBeGreaterThan(0);
  for (const { host, port } of listen) {
    expect(host).toMatch(/^[^\s[\]]+$/);
    expect(port >= 0 && port <= 65_535).toBe(true);
  }
  if (publicUrl !== undefined) expect(publicUrl).toMatch(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/i);
  expect(trustProxy.filter((proxy) => proxy.endsWith("/0"))).toEqual([]);
}
