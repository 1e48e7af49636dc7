import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendProcess, type Environment } from "./backend-process.ts";
import { removeBackend } from "./cleanup.ts";
import { MainServerProcess } from "./main-server-process.ts";
import { freePort, freePortRange } from "./ports.ts";
import { RestUser } from "./rest-user.ts";

/** A real main server and a real backend that is registered with it, as processes, each in a directory of its own. */
export class WholeHouse implements AsyncDisposable {
  readonly url: string;
  /** Who has signed up first, and registered the backend. */
  readonly owner: RestUser;
  readonly backendId: string;
  server: MainServerProcess;
  backend: BackendProcess;
  readonly #folder: string;
  readonly #port: number;
  readonly #backendEnvironment: Environment;

  private constructor(parts: {
    folder: string;
    port: number;
    url: string;
    server: MainServerProcess;
    owner: RestUser;
    backendId: string;
    backendEnvironment: Environment;
  }) {
    this.#folder = parts.folder;
    this.#port = parts.port;
    this.url = parts.url;
    this.server = parts.server;
    this.owner = parts.owner;
    this.backendId = parts.backendId;
    this.#backendEnvironment = parts.backendEnvironment;
    this.backend = new BackendProcess(this.#backendEnvironment);
  }

  /** `environment` is the backend's, beside what registers it. */
  static async open(username: string, environment: Environment = {}): Promise<WholeHouse> {
    const folder = await mkdtemp(join(tmpdir(), "dockhost-house-"));
    const port = await freePort();
    const server = new MainServerProcess(join(folder, "main-server"), port);
    const url = await server.ready();
    const owner = await RestUser.signUp(url, username);
    const { body } = await owner.call("POST", "/api/backends", { name: "one" });
    const { backend, apiKey } = body as { backend: { id: string }; apiKey: string };
    const backendEnvironment = {
      DOCKHOST_API_KEY: apiKey,
      MAIN_SERVER_BACKEND_URL: url,
      DOCKHOST_DATA_DIR: join(folder, "backend"),
      DOCKHOST_PORT_RANGE: await freePortRange(90),
      DOCKHOST_WARM_POOL: "1",
      ...environment,
    };
    const house = new WholeHouse({ folder, port, url, server, owner, backendId: backend.id, backendEnvironment });
    try {
      await house.isOnline();
      return house;
    } catch (error) {
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  async isOnline(): Promise<void> {
    for (const until = performance.now() + 30_000; performance.now() < until;) {
      const { body } = await this.owner.call("GET", `/api/backends/${this.backendId}`);
      if ((body as { status?: string }).status === "online") return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the backend does not come online: ${this.backend.output}`);
  }

  /** The owner's, on its backend; answers its id. */
  async createInstance(sshPublicKey: string): Promise<string> {
    const { status, body } = await this.owner.call("POST", "/api/instances", { sshPublicKey });
    if (status !== 201) throw new Error(`No instance was made: ${JSON.stringify(body)}`);
    return (body as { id: string }).id;
  }

  async restartServer(): Promise<void> {
    await this.server.end("SIGTERM");
    this.server = new MainServerProcess(join(this.#folder, "main-server"), this.#port);
    await this.server.ready();
  }

  async restartBackend(signal: NodeJS.Signals): Promise<void> {
    await this.backend.end(signal);
    this.startBackend();
  }

  /** In place of one that has ended. */
  startBackend(): void {
    this.backend = new BackendProcess(this.#backendEnvironment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend.leave();
    await this.server[Symbol.asyncDispose]();
    await removeBackend(join(this.#folder, "backend"));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
