import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What `npm start` runs, as a person starts and ends it. */
export class DockHostProcess implements AsyncDisposable {
  output = "";
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcess;

  constructor(environment: Readonly<Record<string, string>>) {
    const { PATH = "", HOME = "/" } = process.env;
    const env = { PATH, HOME, LOG_FORMAT: "json", ...environment };
    this.#process = spawn(process.execPath, ["scripts/start.mjs"], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    this.ended = new Promise((resolve) => this.#process.once("close", resolve));
  }

  /** Resolves with what it says once it runs. */
  async greeting(): Promise<string> {
    const said = new Promise<void>((resolve) => {
      this.#process.stdout?.on("data", () => {
        if (this.output.includes("Ctrl-C ends DockHost")) resolve();
      });
    });
    const ended = this.ended.then((code) => {
      throw new Error(`npm start ended with ${code}: ${this.output}`);
    });
    await Promise.race([said, ended]);
    return this.output.slice(this.output.indexOf("DockHost is running."));
  }

  async end(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    this.#process.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGTERM");
  }
}
