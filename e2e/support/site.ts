import { randomBytes } from "node:crypto";
import { copyFile, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LABELS } from "../../backend/src/containers/names.ts";
import type { BackendConnection } from "./backend-connection.ts";
import { BackendProcess, type Environment } from "./backend-process.ts";
import { backendId, removeBackend } from "./cleanup.ts";
import { docker } from "./docker-cli.ts";
import { machinesEngine, type EngineApi } from "./engine-api.ts";
import { API_KEY, MainServerDouble, type ServerOptions } from "./main-server-double.ts";
import { freePortRange } from "./ports.ts";
import type { PrivateEngine } from "./private-engine.ts";

export interface SiteOptions {
  environment?: Environment;
  server?: ServerOptions;
  /** Where its backends and their containers run; the machine itself where none is given. */
  machine?: PrivateEngine;
  /** A new one in the system's temporary folder where none is given; removed with the site. */
  dataDirectory?: string;
}

interface SitesContainer {
  readonly name: string;
  /** Whether it bears a user's name. */
  readonly isClaimed: boolean;
  readonly isRunning: boolean;
  /** The first port of its triple. */
  readonly base: number;
}

/** Each backend would try the machine's Engine out anew; one that does not find the Engine of that trial still does. */
const TRIAL = "engine-trial.json";
const TRIAL_OF_THE_MACHINE = join(tmpdir(), "dockhost-e2e-engine-trial.json");

/** A machine of its own for tests: a main server, a data directory, a port range, and the backend that works there. */
export class Site implements AsyncDisposable {
  readonly dataDirectory: string;
  /** The ports that its backends give: `10000-10089`. */
  readonly portRange: string;
  server: MainServerDouble;
  /** Runs `docker` against the Engine of its backends. */
  readonly docker: typeof docker;
  readonly engineApi: EngineApi;
  /** Where its containers' ports are reached. */
  readonly address: string;
  readonly #environment: Environment;
  readonly #inside: readonly string[];
  readonly #backends: BackendProcess[] = [];

  private constructor(
    dataDirectory: string,
    portRange: string,
    server: MainServerDouble,
    environment: Environment,
    machine: PrivateEngine | undefined,
  ) {
    this.dataDirectory = dataDirectory;
    this.portRange = portRange;
    this.server = server;
    this.docker = machine?.docker ?? docker;
    this.engineApi = machine?.engineApi ?? machinesEngine;
    this.address = machine?.address ?? "127.0.0.1";
    this.#environment = { ...machine?.environment, ...environment };
    this.#inside = machine?.namespace.inside ?? [];
  }

  /** Everything but a running backend. */
  static async prepare(options: SiteOptions = {}): Promise<Site> {
    const { environment = {}, server = {}, machine, dataDirectory: given } = options;
    const dataDirectory = given ?? (await mkdtemp(join(tmpdir(), "dockhost-e2e-")));
    const portRange = environment.DOCKHOST_PORT_RANGE ?? (await freePortRange(90));
    if (!machine)
      await copyFile(TRIAL_OF_THE_MACHINE, join(dataDirectory, TRIAL)).catch(() => "the first one tries it out");
    const double = await MainServerDouble.listen({ ...(machine && { host: machine.namespace.gateway }), ...server });
    return new Site(dataDirectory, portRange, double, environment, machine);
  }

  /** With a backend that is connected and has told its inventory. */
  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = await Site.prepare(options);
    await site.ready(site.start());
    return site;
  }

  get environment(): Environment {
    return {
      DOCKHOST_API_KEY: API_KEY,
      MAIN_SERVER_BACKEND_URL: this.server.url,
      DOCKHOST_DATA_DIR: this.dataDirectory,
      DOCKHOST_PORT_RANGE: this.portRange,
      // What is made ahead would stand among what the tests count; those about it ask for it.
      DOCKHOST_WARM_POOL: "0",
      ...this.#environment,
    };
  }

  /** The newest one. */
  get backend(): BackendProcess {
    const newest = this.#backends.at(-1);
    if (!newest) throw new Error("no backend was started at this site");
    return newest;
  }

  /** The newest connection. */
  get connection(): BackendConnection {
    const newest = this.server.connections.at(-1);
    if (!newest) throw new Error("no backend is connected to this site");
    return newest;
  }

  start(environment: Environment = {}): BackendProcess {
    const backend = new BackendProcess({ ...this.environment, ...environment }, [], this.#inside);
    this.#backends.push(backend);
    return backend;
  }

  /** Waits until the next connection of `backend` has told its inventory: recovery has run by then. */
  async ready(backend: BackendProcess): Promise<BackendConnection> {
    const ended = backend.ended.then(() => {
      throw new Error(`The backend ended: ${backend.output}`);
    });
    const told = this.server.nextConnection().then(async (connection) => {
      await connection.said.report("inventory");
      return connection;
    });
    return Promise.race([told, ended]);
  }

  async restart(signal: NodeJS.Signals = "SIGTERM", environment: Environment = {}): Promise<BackendConnection> {
    await this.backend.end(signal);
    return this.ready(this.start(environment));
  }

  /** Names of this backend's containers that bear no user's name. */
  async unclaimed(): Promise<string[]> {
    return (await this.containers()).filter(({ isClaimed }) => !isClaimed).map(({ name }) => name);
  }

  async containerNames(): Promise<string[]> {
    return (await this.containers()).map(({ name }) => name);
  }

  /** All that bear this backend's id, running or not; but for those by which it tries the Engine out. */
  async containers(): Promise<SitesContainer[]> {
    const found = await this.engineApi.containers(await this.label());
    return found
      .filter(({ name }) => !name.includes(".probe-"))
      .map(({ name, labels, state }) => ({
        name,
        isRunning: state === "running",
        isClaimed: name.startsWith("dockhost-"),
        base: Number(labels[LABELS.ports]),
      }));
  }

  /** What this backend's containers bear, and the images that were made of them. */
  async label(): Promise<string> {
    return `dockhost.backend=${(await backendId(this.dataDirectory)) ?? "none"}`;
  }

  async slotDirectories(): Promise<string[]> {
    return readdir(join(this.dataDirectory, "slots"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.leave()));
    await this.server[Symbol.asyncDispose]();
    if (this.engineApi === machinesEngine)
      await copyFile(join(this.dataDirectory, TRIAL), TRIAL_OF_THE_MACHINE).catch(() => "none was made");
    await removeBackend(this.dataDirectory, this.engineApi);
  }
}

/** A username that no other test, and no other backend on this Engine, has. */
export const newUser = (name: string): string => `${name}-${randomBytes(4).toString("hex")}`;
