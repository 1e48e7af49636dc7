import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = `${ROOT}main-server/dist/main-server.js`;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** The main server as its operator runs it, at a port of its own that it keeps over restarts. */
export class MainServerProcess implements AsyncDisposable {
  output = "";
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;

  constructor(dataDirectory: string, port: number, environment: Readonly<Record<string, string>> = {}) {
    const { PATH = "" } = process.env;
    const ours = { DOCKHOST_DATA_DIR: dataDirectory, DOCKHOST_LISTEN: `127.0.0.1:${port}`, LOG_FORMAT: "json" };
    this.#process = spawn(process.execPath, [ENTRY], {
      cwd: tmpdir(),
      env: { PATH, ...ours, ...environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    this.ended = once(this.#process, "close").then(([code]) => ({ code: code as number | null, output: this.output }));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves with its address once it serves. */
  async ready(): Promise<string> {
    const said = once(this.#process, "message").then(([message]) => (message as { urls: string[] }).urls[0] ?? "");
    const ended = this.ended.then(({ output }) => {
      throw new Error(`The main server ended: ${output}`);
    });
    return Promise.race([said, ended]);
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.#process.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

/** What `npm run <script> -- <args>` does, for the main server of this data directory. */
export async function npmRun(script: "backup" | "restore", dataDirectory: string, ...args: string[]): Promise<Ended> {
  const { PATH = "", HOME = "/" } = process.env;
  const child = spawn(process.execPath, [`scripts/${script}.mjs`, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, DOCKHOST_DATA_DIR: dataDirectory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
