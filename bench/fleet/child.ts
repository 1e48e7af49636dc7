import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";

const PATIENCE_MS = 15_000;

/** A process that speaks with this one by messages, and that ends with it. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** Rejects when it ends. */
  readonly #lost: Promise<never>;

  /** What it writes is appended to `logFile`. Of a compiled `entry` nothing but the entry is loaded. */
  constructor(
    entry: string,
    logFile: string,
    environment: Readonly<Record<string, string>> = {},
    nodeFlags: readonly string[] = [],
  ) {
    const log = openSync(logFile, "a");
    const { PATH = "", HOME = "" } = process.env;
    this.#process = fork(entry, {
      execArgv: [...nodeFlags, ...(entry.endsWith(".js") ? [] : process.execArgv)],
      // Ctrl-C is for the bench, which ends its processes when what is under way has ended.
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
      env: { PATH, HOME, ...environment },
    });
    closeSync(log);
    this.#ended = once(this.#process, "exit");
    this.#lost = this.#ended.then(() => Promise.reject(new Error(`${entry} has ended; see ${logFile}.`)));
    // Only who waits for a message wants to know.
    this.#lost.catch(() => undefined);
  }

  /** Its next message. */
  async message(): Promise<unknown> {
    return Promise.race([once(this.#process, "message").then(([message]) => message as unknown), this.#lost]);
  }

  tell(message: object): void {
    this.#process.send(message);
  }

  /** https://docs.kernel.org/filesystems/proc.html: VmRSS, in kB. */
  async residentKiB(): Promise<number> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, "utf8");
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    if (kilobytes === undefined) throw new Error(`The kernel tells no memory of process ${this.#process.pid}.`);
    return Number(kilobytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const killer = setTimeout(() => this.#process.kill("SIGKILL"), PATIENCE_MS);
    this.#process.kill("SIGTERM");
    await this.#ended;
    clearTimeout(killer);
  }
}
