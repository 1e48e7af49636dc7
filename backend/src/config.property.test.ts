import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { SETTINGS } from "./config-settings.ts";
import { type Config, ConfigError, type Environment, readConfig } from "./config.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 });
const CASES = { numRuns: 10_000 };
const REQUIRED = { DOCKHOST_API_KEY: "dkh_key", MAIN_SERVER_BACKEND_URL: "localhost:3001" };
const VARIABLES = Object.values(SETTINGS).map(({ variable }) => variable);

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "dockhost-config-"));
});
beforeEach(() => rmSync(join(cwd, ".env"), { force: true }));
afterAll(() => rmSync(cwd, { recursive: true }));

/** Anew each time: some file systems flush a file that is cut and written again, which takes a hundred times as long. */
function writeDotEnv(content: string | Uint8Array): void {
  rmSync(join(cwd, ".env"), { force: true });
  writeFileSync(join(cwd, ".env"), content);
}

/** The configuration, or what is said of its faults; whatever else is thrown fails the test. */
function read(env: Environment): Config | readonly string[] {
  try {
    return readConfig(env, { cwd, isRoot: true, isTerminal: true });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const isConfig = (outcome: Config | readonly string[]): outcome is Config => !Array.isArray(outcome);
const faultsOf = (outcome: Config | readonly string[]): readonly string[] => (isConfig(outcome) ? [] : outcome);

const NUMBERS = [
  "0",
  "-1",
  "1",
  "32",
  "64m",
  "1e9",
  "9".repeat(15),
  "1.5",
  "0x10",
  "NaN",
  "Infinity",
  "-0",
  "50",
  "2g",
];
const TEXTS = [
  ...["", " ", "\0", "~", "~/x", "/x", "x\n", "1024-32767", "1024-1025", "5-2", "0-3", "::1", "0.0.0.0", "localhost"],
  ...["alpine", "a=alpine,b=ubuntu", "a=,", "__proto__=x", "runsc", "json", "pretty", "debug", "INFO", "constructor"],
  ...["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://", "localhost:3001", "https://u:p@x", "ftp://x"],
];
const text = fc.oneof(
  fc.constantFrom(...NUMBERS, ...TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.integer().map(String),
  fc.double().map(String),
);
const environment = fc.dictionary(fc.constantFrom(...VARIABLES, "MAIN_SERVER", "XDG_DATA_HOME", "HOME", "PATH"), text, {
  maxKeys: 4,
});

describe("whatever the environment holds", () => {
  it("it makes a sound configuration that cannot be changed, or sentences that each name a setting", () => {
    fc.assert(
      fc.property(environment, fc.boolean(), (env, complete) => {
        const outcome = read({ ...env, ...(complete && REQUIRED) });
        if (isConfig(outcome)) expectSound(outcome);
        else expect(outcome).not.toEqual([]);
        for (const fault of faultsOf(outcome)) {
          expect(VARIABLES).toContain(fault.split(" ")[0]);
          expect(fault).toMatch(/^\S+ (must be|is not set: it must be) .*\.$/);
        }
      }),
      CASES,
    );
  });

  it("all its faults are told at once, each as if it were the only one", () => {
    const settings = fc.dictionary(fc.constantFrom(...VARIABLES.slice(2)), text, { maxKeys: 4 });
    fc.assert(
      fc.property(settings, (env) => {
        const alone = Object.entries(env).flatMap(([name, value]) => faultsOf(read({ ...REQUIRED, [name]: value })));
        expect([...faultsOf(read({ ...REQUIRED, ...env }))].sort()).toEqual(alone.sort());
      }),
      CASES,
    );
  });

  it("no word of what it holds is in a fault, as any of it may be a secret", () => {
    const secret = fc.stringMatching(/^[a-z]{6}$/).map((letters) => `Z${letters}ß`);
    const around = fc.constantFrom("", " ", "/", "https://user:", "ftp://", "-", "=", "\n", "@x?k=");
    const value = fc.tuple(around, secret, around).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...VARIABLES), value, { maxKeys: 6 }), (env) => {
        expect(faultsOf(read(env)).join("\n")).not.toMatch(/Z[a-z]{6}ß/);
      }),
      CASES,
    );
  });
});

describe("a file .env", () => {
  it("may hold any bytes, and spoils at most itself: the rest is a configuration or a sentence", () => {
    const line = fc.tuple(fc.constantFrom(...VARIABLES, "export", "#", "X"), fc.constantFrom("=", ":", " ", ""), text);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(line, { maxLength: 5 }).map((lines) => Buffer.from(lines.map((parts) => parts.join("")).join("\n"))),
      fc
        .array(line, { maxLength: 5 })
        .map((lines) => Buffer.from(lines.map((parts) => parts.join("")).join("\n"), "utf16le")),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        writeDotEnv(content);
        const outcome = read(REQUIRED);
        if (isConfig(outcome)) expectSound(outcome);
        else
          for (const fault of outcome) expect(fault).toMatch(/^\S+ (must be|is not plain text as it must be:) .*\.$/);
        if (content.includes(0))
          expect(outcome).toEqual([expect.stringMatching(/\.env is not plain text as it must be: save it as UTF-8/)]);
      }),
      CASES,
    );
  });

  const VALUES = {
    DOCKHOST_API_KEY: fc.stringMatching(/^dkh_[A-Za-z0-9]{4,40}$/),
    MAIN_SERVER_BACKEND_URL: fc.domain().map((name) => `https://${name}`),
    DOCKHOST_DATA_DIR: fc.stringMatching(/^\/[a-z]{1,8}( [a-z]{1,8})?$/),
    DOCKHOST_IMAGES: fc.stringMatching(/^[a-z]{1,8}=[a-z]{1,8}:[0-9]{1,3}$/),
    DOCKHOST_MEMORY: fc.constantFrom("512m", "1g"),
    DOCKHOST_PORT_RANGE: fc.integer({ min: 1, max: 60_000 }).map((first) => `${first}-${first + 999}`),
    LOG_LEVEL: fc.constantFrom("warn", "debug"),
  };
  const given = fc.record(VALUES, { requiredKeys: ["DOCKHOST_API_KEY", "MAIN_SERVER_BACKEND_URL"] });

  it("says the same as the environment, in all the ways in which people write such files", () => {
    const style = fc.record({
      bom: fc.constantFrom("", "\ufeff"),
      end: fc.constantFrom("\n", "\r\n", "\r"),
      front: fc.constantFrom("", "export ", "  ", "\t"),
      equals: fc.constantFrom("=", " = ", "= "),
      quote: fc.constantFrom("", "'", '"', "`"),
      comment: fc.constantFrom("", " # the key", " ", "\t"),
      between: fc.constantFrom("", "# a comment", "#LOG_LEVEL=loud", "   "),
    });
    fc.assert(
      fc.property(given, style, (values, { bom, end, front, equals, quote, comment, between }) => {
        const lines = Object.entries(values).flatMap(([name, value]) => [
          front + name + equals + quote + value + quote + comment,
          between,
        ]);
        writeDotEnv(bom + lines.join(end) + end);
        const fromFile = read({});
        rmSync(join(cwd, ".env"));
        expect(isConfig(fromFile)).toBe(true);
        expect(fromFile).toEqual(read(values));
      }),
      CASES,
    );
  });

  it("gives way to the environment wherever that says something", () => {
    fc.assert(
      fc.property(given, fc.record(VALUES, { requiredKeys: [] }), (file, env) => {
        writeFileSync(
          join(cwd, ".env"),
          Object.entries(file)
            .map((entry) => `${entry.join("=")}\n`)
            .join(""),
        );
        const both = read(env);
        rmSync(join(cwd, ".env"));
        expect(both).toEqual(read({ ...file, ...env }));
      }),
      CASES,
    );
  });
});

/** What every user of the configuration relies on. */
function expectSound(config: Config): void {
  const { limits, portRange, engine } = config;
  expect([config, limits, portRange, engine, config.images, config.log].every((part) => Object.isFrozen(part))).toBe(
    true,
  );
  expect(config.apiKey).toMatch(/^[!-~]{1,512}$/);
  expect(config.mainServerUrl).toMatch(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?(?<!\/)$/);
  expect(isAbsolute(config.dataDirectory)).toBe(true);
  const numbers = [config.maxContainers, limits.memoryBytes, limits.pids, limits.diskBytes, portRange.first];
  expect(numbers.every((number) => Number.isSafeInteger(number) && number > 0)).toBe(true);
  expect(Number.isSafeInteger(config.warmPool) && config.warmPool >= 0).toBe(true);
  expect(limits.cpus > 0 && limits.cpus <= 1024).toBe(true);
  expect(portRange.last - portRange.first >= 2 && portRange.last <= 65_535).toBe(true);
  expect(isIP(config.bindAddress)).not.toBe(0);
  if (engine.kind === "tcp") expect(engine.port > 0 && engine.port < 65_536).toBe(true);
  else expect(isAbsolute(engine.socketPath)).toBe(true);
}
