import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createMainServer, type MainServer, type Overrides } from "../app.ts";
import type { Config } from "../config.ts";
import { createLog } from "../observe/log.ts";

export interface TestServer {
  readonly url: string;
  readonly server: MainServer;
  readonly config: Config;
  /** Everything logged so far, as text. */
  log: () => string;
  close: () => Promise<void>;
  /** The same data, another process' worth of memory, the same address. */
  restart: (changes?: Overrides) => Promise<TestServer>;
}

/** A real main server on a free port of loopback, in a data directory of its own; gone when the test is over. */
export async function startMainServer(changes: Partial<Config> = {}, overrides: Overrides = {}): Promise<TestServer> {
  const dataDir = temporaryDirectory();
  const listen = [{ host: "127.0.0.1", port: 0, required: true }];
  const quiet = { format: "json", level: "debug" } as const;
  const base = { dataDir, listen, signup: "open", publicUrl: undefined, trustProxy: [] } as const;
  return start({ ...base, localBackendKeyFile: undefined, log: quiet, ...changes }, overrides);
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "dockhost-main-server-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(config: Config, overrides: Overrides): Promise<TestServer> {
  const lines: string[] = [];
  const log = createLog(config.log, { write: (line) => void lines.push(line) });
  const server = await createMainServer(config, { log, ...overrides });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= Promise.resolve(server[Symbol.asyncDispose]()));
  onTestFinished(close);
  const [url = ""] = server.urls;
  const sameAddress = [{ host: "127.0.0.1", port: Number(new URL(url).port), required: true }];
  const restart = async (changes: Overrides = {}) => {
    await close();
    return start({ ...config, listen: sameAddress }, { ...overrides, ...changes });
  };
  return { url, server, config, log: () => lines.join(""), close, restart };
}
