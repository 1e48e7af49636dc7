import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Socket } from "socket.io";
import { parseReply, type CommandData, type CommandInput, type CommandName } from "../protocol/src/index.ts";
import type { BenchMainServer } from "./main-server.ts";
import { StatusWatch } from "./status-watch.ts";

const ENTRY = fileURLToPath(new URL("../backend/dist/backend.js", import.meta.url));
const CONNECT_PATIENCE_MS = 20_000;
const REPLY_PATIENCE_MS = 60_000;
const SHUTDOWN_PATIENCE_MS = 15_000;

export interface BackendSettings {
  /** Its data directory, and where it is started. */
  directory: string;
  /** What it writes is appended there. */
  logFile: string;
  environment: Readonly<Record<string, string>>;
  /** Flags of Node itself. */
  nodeFlags?: readonly string[];
}

/** The backend as it is shipped: a process of its own, commanded over Socket.IO. */
export class BackendProcess implements AsyncDisposable {
  /** From its spawn to its authenticated connection. */
  readonly startedInMs: number;
  readonly pid: number;
  readonly statuses: StatusWatch;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  /** Rejects when the backend has gone: Socket.IO itself would wait for its reply. */
  readonly #lost: Promise<never>;
  #lastReplyAt = 0;

  private constructor(child: ChildProcess, pid: number, socket: Socket, startedInMs: number) {
    this.#child = child;
    this.pid = pid;
    this.#socket = socket;
    this.statuses = new StatusWatch(socket);
    this.startedInMs = startedInMs;
    this.#lost = new Promise((_, reject) =>
      socket.once("disconnect", () => reject(new Error("The backend has disconnected."))),
    );
    // Only who waits for a reply wants to know.
    this.#lost.catch(() => undefined);
  }

  static async start(server: BenchMainServer, settings: BackendSettings): Promise<BackendProcess> {
    const connection = server.nextBackend();
    const begin = performance.now();
    const child = spawnBackend(server, settings);
    const gaveUp = new AbortController();
    try {
      const socket = await Promise.race([
        connection,
        once(child, "exit", { signal: gaveUp.signal }).then(() => undefined),
        delay(CONNECT_PATIENCE_MS, undefined, { signal: gaveUp.signal }),
      ]);
      if (!socket || child.pid === undefined) throw new Error(`The backend did not connect; see ${settings.logFile}.`);
      return new BackendProcess(child, child.pid, socket, performance.now() - begin);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      gaveUp.abort();
    }
  }

  /** Of a command after which the backend tells its status anew. */
  get lastReplyAt(): number {
    return this.#lastReplyAt;
  }

  /** Throws where the reply is no success or breaks the contract. */
  async command<Name extends CommandName>(name: Name, request: CommandInput<Name>): Promise<CommandData<Name>> {
    const asked = this.#socket.timeout(REPLY_PATIENCE_MS).emitWithAck(name, request) as Promise<unknown>;
    const answer = await Promise.race([asked, this.#lost]);
    if (name !== "list-containers") this.#lastReplyAt = performance.now();
    const reply = parseReply(name, answer);
    if (!reply.success) throw new Error(`${name}: ${reply.error.code}: ${reply.message}`);
    return reply.data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), SHUTDOWN_PATIENCE_MS);
    this.#child.kill("SIGTERM");
    await exited;
    clearTimeout(killer);
  }
}

function spawnBackend(
  server: BenchMainServer,
  { directory, logFile, environment, nodeFlags = [] }: BackendSettings,
): ChildProcess {
  const log = openSync(logFile, "a");
  const { PATH = "", HOME = "", DEBUG, DOCKER_HOST } = process.env;
  const child = spawn(process.execPath, [...nodeFlags, ENTRY], {
    cwd: directory,
    // Ctrl-C is for the bench, which ends its backend when what is under way has ended.
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      PATH,
      HOME,
      ...(DEBUG !== undefined && { DEBUG }),
      ...(DOCKER_HOST !== undefined && { DOCKER_HOST }),
      LOG_FORMAT: "json",
      DOCKHOST_API_KEY: server.apiKey,
      MAIN_SERVER_BACKEND_URL: server.url,
      DOCKHOST_DATA_DIR: join(directory, "data"),
      ...environment,
    },
  });
  closeSync(log);
  return child;
}
