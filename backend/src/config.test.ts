import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SETTINGS } from "./config-settings.ts";
import { CONFIG_HELP, ConfigError, type Environment, readConfig } from "./config.ts";

const REQUIRED = { DOCKHOST_API_KEY: "dkh_key", MAIN_SERVER_BACKEND_URL: "localhost:3001" };

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "dockhost-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const read = (env: Environment, more = {}) => readConfig(env, { cwd, isRoot: true, isTerminal: true, ...more });

describe("the configuration", () => {
  it("needs a key and a main server, and has a default for all else", () => {
    expect(read(REQUIRED)).toEqual({
      apiKey: "dkh_key",
      mainServerUrl: "http://localhost:3001",
      dataDirectory: "/var/lib/dockhost",
      image: undefined,
      images: {},
      maxContainers: 50,
      limits: { memoryBytes: 536_870_912, cpus: 1, pids: 512, diskBytes: 1_073_741_824 },
      portRange: { first: 1024, last: 32_767 },
      bindAddress: "0.0.0.0",
      egress: "internet",
      runtime: undefined,
      warmPool: 1,
      engine: { kind: "unix", socketPath: "/var/run/docker.sock" },
      log: { format: "pretty", level: "info" },
    });
  });

  it("takes every variable", () => {
    const config = read({
      ...REQUIRED,
      DOCKHOST_DATA_DIR: "state",
      DOCKHOST_IMAGE: "registry.example:5000/ubuntu",
      DOCKHOST_IMAGES: "small=alpine, large=ubuntu:24.04",
      DOCKHOST_MAX_CONTAINERS: "7",
      DOCKHOST_MEMORY: "2g",
      DOCKHOST_CPUS: "0.25",
      DOCKHOST_PIDS: "64",
      DOCKHOST_DISK: "512m",
      DOCKHOST_PORT_RANGE: "2000-2002",
      DOCKHOST_BIND_ADDRESS: "::1",
      DOCKHOST_EGRESS: "none",
      DOCKHOST_RUNTIME: "sysbox-runc",
      DOCKHOST_WARM_POOL: "3",
      DOCKER_HOST: "tcp://engine.example",
      LOG_FORMAT: "json",
      LOG_LEVEL: "silent",
    });
    expect(config).toEqual({
      apiKey: "dkh_key",
      mainServerUrl: "http://localhost:3001",
      dataDirectory: join(cwd, "state"),
      image: "registry.example:5000/ubuntu:latest",
      images: { small: "alpine:latest", large: "ubuntu:24.04" },
      maxContainers: 7,
      limits: { memoryBytes: 2_147_483_648, cpus: 0.25, pids: 64, diskBytes: 536_870_912 },
      portRange: { first: 2000, last: 2002 },
      bindAddress: "::1",
      egress: "none",
      runtime: "sysbox-runc",
      warmPool: 3,
      engine: { kind: "tcp", host: "engine.example", port: 2375, tls: false },
      log: { format: "json", level: "silent" },
    });
  });

  it("cannot be changed, however deep", () => {
    const config = read({ ...REQUIRED, DOCKHOST_IMAGES: "small=alpine" });
    const parts = [config, config.images, config.limits, config.portRange, config.engine, config.log];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it("finds no image under a name that every object has", () => {
    expect(read(REQUIRED).images.constructor).toBeUndefined();
    expect(read({ ...REQUIRED, DOCKHOST_IMAGES: "small=alpine" }).images.constructor).toBeUndefined();
  });
});

describe("the .env file of the working directory", () => {
  it("is read, without a word on the way", () => {
    const spoken = vi.spyOn(console, "log");
    writeFileSync(join(cwd, ".env"), `DOCKHOST_API_KEY='file#key'\nMAIN_SERVER=wss://main.example # here\n`);
    expect(read({})).toMatchObject({ apiKey: "file#key", mainServerUrl: "https://main.example" });
    expect(spoken).not.toHaveBeenCalled();
  });

  it("gives way to the environment, also where that uses the older name", () => {
    writeFileSync(join(cwd, ".env"), "DOCKHOST_API_KEY=file\nMAIN_SERVER_BACKEND_URL=file.example\nLOG_LEVEL=debug\n");
    expect(read({ DOCKHOST_API_KEY: "env", MAIN_SERVER: "env.example" })).toMatchObject({
      apiKey: "env",
      mainServerUrl: "http://env.example",
      log: { level: "debug" },
    });
  });

  it("may be missing, but what is there must be readable", () => {
    mkdirSync(join(cwd, ".env"));
    expect(faults(REQUIRED)).toEqual([expect.stringMatching(/\.env cannot be read \(EISDIR\)/)]);
  });
});

describe("a variable", () => {
  it("that is set to nothing or to blanks counts as not set", () => {
    const blank = Object.fromEntries(Object.values(SETTINGS).map(({ variable }) => [variable, " "]));
    expect(read({ ...blank, ...REQUIRED })).toEqual(read(REQUIRED));
  });

  it("may end in the newline of the file that it came from", () => {
    expect(read({ ...REQUIRED, DOCKHOST_API_KEY: "dkh_key\n" }).apiKey).toBe("dkh_key");
  });

  it("for the main server has a newer name that wins over the older one", () => {
    expect(read({ ...REQUIRED, MAIN_SERVER: "older.example" }).mainServerUrl).toBe("http://localhost:3001");
    expect(read({ ...REQUIRED, MAIN_SERVER_BACKEND_URL: "", MAIN_SERVER: "older.example" }).mainServerUrl).toBe(
      "http://older.example",
    );
  });
});

describe("the data directory", () => {
  const directory = (env: Environment) => read({ ...REQUIRED, ...env }, { isRoot: false }).dataDirectory;

  it("is the user's own where the backend does not run as root", () => {
    expect(directory({ HOME: "/home/ada" })).toBe("/home/ada/.local/share/dockhost");
    expect(directory({ HOME: "/home/ada", XDG_DATA_HOME: "/data" })).toBe("/data/dockhost");
    expect(directory({ HOME: "/home/ada", XDG_DATA_HOME: "relative" })).toBe("/home/ada/.local/share/dockhost");
  });

  it("is the one that was named wherever one was", () => {
    expect(directory({ DOCKHOST_DATA_DIR: "/srv/dockhost/" })).toBe("/srv/dockhost");
  });
});

describe("the log format", () => {
  it("is for people on a terminal and for machines elsewhere, unless it was chosen", () => {
    expect(read(REQUIRED, { isTerminal: true }).log.format).toBe("pretty");
    expect(read(REQUIRED, { isTerminal: false }).log.format).toBe("json");
    expect(read({ ...REQUIRED, LOG_FORMAT: "pretty" }, { isTerminal: false }).log.format).toBe("pretty");
  });
});

describe("what is wrong", () => {
  it("is told all at once, one sentence for each variable", () => {
    const wrong = { MAIN_SERVER: "ftp://x", DOCKHOST_MEMORY: "lots", DOCKHOST_PIDS: "31", LOG_LEVEL: "INFO" };
    expect(faults(wrong)).toEqual([
      "DOCKHOST_API_KEY is not set: it must be the key that the main server showed when this backend was added, without spaces.",
      "MAIN_SERVER_BACKEND_URL must be the main server's address, such as localhost:3001 or https://dockhost.example, without user, password or query.",
      "DOCKHOST_MEMORY must be a size of at least 64m, such as 512m or 2g.",
      "DOCKHOST_PIDS must be a whole number from 32 to 4194304.",
      "LOG_LEVEL must be one of trace, debug, info, warn, error, fatal and silent.",
    ]);
  });

  it("is told without what was written: it may be a secret", () => {
    const wrong = { DOCKHOST_API_KEY: "my secret", MAIN_SERVER_BACKEND_URL: "https://u:secret@x?k=secret" };
    expect(faults(wrong).join()).not.toContain("secret");
    expect(faults(wrong)).toHaveLength(2);
  });

  it.each([
    ["DOCKHOST_API_KEY", "a key", "schlüssel", "k".repeat(513)],
    ["DOCKHOST_DATA_DIR", "~/dockhost", "/a\0b"],
    ["DOCKHOST_IMAGE", "Ubuntu", "ubuntu latest", "ubuntu:", "http://ubuntu", "-x", "a".repeat(513)],
    ["DOCKHOST_IMAGES", "alpine", "a=alpine,", "a=alpine,a=ubuntu", "A=alpine", "a=Alpine", "__proto__=alpine", "=x"],
    ["DOCKHOST_MAX_CONTAINERS", "0", "-1", "1.5", "ten", "0x10", "10001"],
    ["DOCKHOST_MEMORY", "63m", "0", "-1g", "1t", "512 m", "1e9", "9".repeat(15) + "g"],
    ["DOCKHOST_CPUS", "0", "-1", "0.001", "1,5", "Infinity", "1025", "."],
    ["DOCKHOST_PIDS", "31", "unlimited"],
    ["DOCKHOST_DISK", "1m", "big"],
    ["DOCKHOST_PORT_RANGE", "1024", "0-9", "1024-1025", "2000-1000", "1024-65536", "1024:2048", "a-b"],
    ["DOCKHOST_BIND_ADDRESS", "localhost", "256.0.0.1", "[::1]", "fe80::1%eth0", "0.0.0.0:80"],
    ["DOCKHOST_RUNTIME", "run c", "a/runc", "runc;"],
    ["DOCKHOST_WARM_POOL", "-1", "some"],
    ["DOCKER_HOST", "ssh://x", "unix://relative", "npipe:////./x", "/var/run/docker.sock", "tcp://u:p@x", "tcp://x/y"],
    ["LOG_FORMAT", "yaml"],
    ["LOG_LEVEL", "loud"],
  ])("is refused: %s", (variable, ...texts) => {
    for (const text of texts) {
      const told = faults({ ...REQUIRED, [variable]: text });
      expect(told, text).toEqual([expect.stringMatching(`^${variable} must be .*\\.$`)]);
    }
  });
});

describe("the help and the example file", () => {
  const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
  const settings = Object.values(SETTINGS).map((setting) => ({ standard: "", ...setting }));

  it("tell every variable with its default", () => {
    for (const { variable, standard } of settings) {
      expect(CONFIG_HELP).toMatch(new RegExp(`^ +${variable} +${standard}`, "m"));
    }
    expect(CONFIG_HELP).toContain("MAIN_SERVER ");
  });

  it("agree: the example has each variable behind a '#' with its default, and the two that it needs without", () => {
    const commented = Object.fromEntries(
      settings.slice(2).map(({ variable, standard }) => [variable, standard] as const),
    );
    const uncommented = example.replace(/^# ([A-Z_]+=)/gm, "$1");
    expect(parse(example)).toEqual({
      DOCKHOST_API_KEY: "replace-with-your-key",
      MAIN_SERVER_BACKEND_URL: "localhost:3001",
    });
    expect(parse(uncommented)).toEqual({ ...parse(example), MAIN_SERVER: "", ...commented });
  });

  it("change nothing where all of it is taken as it stands", () => {
    const uncommented = parse(example.replace(/^# ([A-Z_]+=)/gm, "$1"));
    expect({ ...read(uncommented), apiKey: "dkh_key" }).toEqual(read(REQUIRED));
  });
});

function faults(env: Environment): readonly string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}
