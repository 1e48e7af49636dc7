import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { tmpdir } from "node:os";

const ENTRY = fileURLToPath(new URL("../../backend/dist/backend.js", import.meta.url));

export type Environment = Readonly<Record<string, string>>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The backend as its operator runs it: `node dist/backend.js`, with nothing in its environment but what is given. */
export class BackendProcess implements AsyncDisposable {
  stdout = "";
  stderr = "";
  /** Settles when the process has ended and everything it wrote is here. */
  readonly ended: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #onOutput = new Set<() => void>();

  /** `inside` stands before its command line, and must leave its process id as it is. */
  constructor(environment: Environment, args: readonly string[] = [], inside: readonly string[] = []) {
    const { PATH = "" } = process.env;
    const [program = process.execPath, ...rest] = [...inside, process.execPath, ENTRY, ...args];
    this.#process = spawn(program, rest, {
      cwd: tmpdir(),
      env: { PATH, LOG_FORMAT: "json", ...environment },
      // By the last one it notices when the tests end without a word, and ends too.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#look();
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => this.#process.once("close", (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Its log so far, of LOG_FORMAT json; throws where a line is not JSON. */
  get log(): LogLine[] {
    return this.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Resolves when `text` stands in its output. */
  async wrote(text: string, withinMs = 20_000): Promise<void> {
    if (this.output.includes(text)) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!this.output.includes(text)) return;
        clearTimeout(tooLate);
        this.#onOutput.delete(look);
        resolve();
      };
      const tooLate = setTimeout(() => {
        this.#onOutput.delete(look);
        reject(new Error(`not written within ${withinMs} ms: ${text}\n${this.output}`));
      }, withinMs);
      this.#onOutput.add(look);
    });
  }

  /** Lets it end tidily; kills it where it does not within the time that it promises. */
  async leave(): Promise<void> {
    const tooLate = setTimeout(() => this.#process.kill("SIGKILL"), 12_000);
    await this.end("SIGTERM");
    clearTimeout(tooLate);
  }

  /** Ends it and waits for its end. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.#process.kill(signal);
    return this.ended;
  }

  /** Tidily: what Docker is asked for when a process is killed may come to be after everything was removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  #look(): void {
    for (const look of this.#onOutput) look();
  }
}
