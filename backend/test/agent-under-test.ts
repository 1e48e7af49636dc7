import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAgent, type Agent, type AgentOverrides } from "../src/agent.ts";
import { readConfig } from "../src/config.ts";
import { createLog } from "../src/observe/log.ts";
import { EngineDouble } from "./engine-double.ts";
import { MainServerDouble } from "./main-server-double.ts";

/** A whole agent between a main server and an Engine that are doubles, in one process. */
export class AgentUnderTest {
  readonly engine = new EngineDouble();
  readonly mainServer = new MainServerDouble();
  readonly logLines: string[] = [];
  readonly #settings: Record<string, string>;
  readonly #overrides: AgentOverrides;
  #dataDirectory = "";
  #agent: Agent | undefined;

  constructor(settings: Record<string, string> = {}, overrides: AgentOverrides = {}) {
    this.#settings = settings;
    this.#overrides = overrides;
  }

  async start(): Promise<void> {
    this.#dataDirectory = await mkdtemp(join(tmpdir(), "dockhost-agent-"));
    await this.mainServer.listen();
    await this.startAgent();
  }

  /** With the same data directory, Engine and main server as before. */
  async startAgent(): Promise<void> {
    const environment = {
      DOCKHOST_API_KEY: "dkh_test",
      MAIN_SERVER_BACKEND_URL: this.mainServer.url,
      DOCKHOST_DATA_DIR: this.#dataDirectory,
      // What is made ahead has tests of its own.
      DOCKHOST_WARM_POOL: "0",
      ...this.#settings,
    };
    const config = readConfig(environment, { cwd: this.#dataDirectory });
    const destination = { write: (line: string) => this.logLines.push(line) };
    const log = createLog({ format: "json", level: "info", destination });
    this.#agent = await createAgent(config, log, {
      engine: this.engine,
      // A property sends more at once than a main server may.
      commandRate: { burst: 1e6, perSecond: 1e6 },
      ...this.#overrides,
    });
    await this.#agent.ready;
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    this.#agent = undefined;
  }

  get dataDirectory(): string {
    return this.#dataDirectory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    await this.mainServer[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.#dataDirectory, { recursive: true, force: true });
  }
}

/** A key that nobody holds the private half of. */
export const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFKthjBmHn3LUw29oD1kiJE9KCPICve/xl5gDDYQlBIK nobody";
