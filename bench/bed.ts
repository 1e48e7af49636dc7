import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BackendProcess } from "./backend-process.ts";
import { BenchMainServer } from "./main-server.ts";
import type { EngineApi } from "./ways/engine-api.ts";
import { BACKEND_HOME, Workplace } from "./workplace.ts";

export const RESULTS = fileURLToPath(new URL("results", import.meta.url));
/** What the backend writes. */
export const LOG_FILE = join(RESULTS, "backend.log");

/** Below the kernel's ephemeral ports, and apart from the baselines' in `ways/baselines.ts`. */
const BACKEND_PORTS = "24000-25999";

export interface Options {
  samples: number;
  concurrency: readonly number[];
  /** Only the one that bounds are about, to be quicker. */
  onlyRawBaseline: boolean;
}

export interface BackendWish {
  /** How many slots it keeps ready; none where it is not said. */
  warmPool?: number;
  maxContainers?: number;
  nodeFlags?: readonly string[];
}

/** What every section of the bench works with. */
export class TestBed implements AsyncDisposable {
  readonly options: Options;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly sshPublicKey: string;
  readonly #workplace: Workplace;
  readonly #server: BenchMainServer;

  private constructor(
    options: Options,
    signal: AbortSignal,
    sshPublicKey: string,
    workplace: Workplace,
    server: BenchMainServer,
  ) {
    this.options = options;
    this.signal = signal;
    this.sshPublicKey = sshPublicKey;
    this.#workplace = workplace;
    this.#server = server;
  }

  static async open(engineSocket: string, options: Options, signal: AbortSignal): Promise<TestBed> {
    await mkdir(RESULTS, { recursive: true });
    await rm(LOG_FILE, { force: true });
    const workplace = await Workplace.open(engineSocket);
    const key = await sshKeyPair(workplace.directory);
    return new TestBed(options, signal, key, workplace, await BenchMainServer.listen());
  }

  get engine(): EngineApi {
    return this.#workplace.engine;
  }

  get label(): Workplace["label"] {
    return this.#workplace.label;
  }

  /** Starts the backend; it has had its key and its data directory before, but for the first time. */
  async startBackend({ warmPool = 0, maxContainers = 300, nodeFlags = [] }: BackendWish = {}): Promise<BackendProcess> {
    const directory = await this.#workplace.make(BACKEND_HOME);
    const environment = {
      DOCKHOST_PORT_RANGE: BACKEND_PORTS,
      DOCKHOST_MAX_CONTAINERS: String(maxContainers),
      DOCKHOST_WARM_POOL: String(warmPool),
    };
    return BackendProcess.start(this.#server, { directory, logFile: LOG_FILE, environment, nodeFlags });
  }

  /** By which the Engine tells the backend's containers from others. */
  async backendLabel(): Promise<string> {
    const label = await this.#workplace.backendLabel(BACKEND_HOME);
    if (label === undefined) throw new Error("The backend has no id yet; start it first.");
    return label;
  }

  /** Ids of the containers that the backend has made, or is making, for nobody yet. */
  async unclaimedSlots(): Promise<string[]> {
    const containers = await this.engine.list([await this.backendLabel()]);
    const unclaimed = containers.filter(({ Names }) => Names.some((name) => name.startsWith("/dockhost.slot.")));
    return unclaimed.map(({ Id }) => Id).sort();
  }

  /** A directory as a slot's is, with the key in it. */
  async makeKeyDirectory(): Promise<string> {
    const directory = await this.#workplace.make("keys");
    await writeFile(join(directory, "authorized_keys"), `${this.sshPublicKey}\n`, { mode: 0o644 });
    return directory;
  }

  /** Removes what was made here, once its backend has ended, so that the next section begins as the first did. */
  async beginAnew(): Promise<void> {
    await this.#workplace.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#workplace[Symbol.asyncDispose]();
  }
}

async function sshKeyPair(directory: string): Promise<string> {
  const file = join(directory, "id_ed25519");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file]);
  return (await readFile(`${file}.pub`, "utf8")).trim();
}
