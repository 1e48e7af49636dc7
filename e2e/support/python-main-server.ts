import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseReply, type CommandData, type CommandInput, type CommandName } from "@dockhost/protocol";
import { EventRecord } from "./event-record.ts";

const SCRIPT = fileURLToPath(new URL("../interop/main_server.py", import.meta.url));

interface Line {
  readonly listening?: number;
  readonly connected?: unknown;
  readonly event?: string;
  readonly payload?: unknown;
  readonly id?: number;
  readonly reply?: unknown;
  readonly fault?: string;
}

/** The main server of `interop/main_server.py`, driven line by line. */
export class PythonMainServer implements AsyncDisposable {
  /** Everything it says, under `listening`, `connected` or the event's own name. */
  readonly said = new EventRecord();
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (line: Line) => void>();
  #lastId = 0;

  constructor(apiKey: string) {
    // Debian's own interpreter, which Debian's packages are for.
    this.#process = spawn("/usr/bin/python3", [SCRIPT, apiKey], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout }).on("line", (text) => this.#heard(JSON.parse(text) as Line));
  }

  async url(): Promise<string> {
    const { payload } = await this.said.first("listening");
    return `http://127.0.0.1:${String(payload)}`;
  }

  /** The data of a success, checked against the contract; throws on any failure. */
  async succeed<Name extends CommandName>(command: Name, payload: CommandInput<Name>): Promise<CommandData<Name>> {
    const line = await this.#send(command, payload);
    if (line.fault !== undefined) throw new Error(`${command}: ${line.fault}`);
    const reply = parseReply(command, line.reply);
    if (!reply.success) throw new Error(`${command}: ${JSON.stringify(reply)}`);
    return reply.data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
  }

  #send(command: string, payload: unknown): Promise<Line> {
    const id = (this.#lastId += 1);
    this.#process.stdin.write(`${JSON.stringify({ id, command, payload })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #heard(line: Line): void {
    if (line.id !== undefined) this.#waiting.get(line.id)?.(line);
    if (line.listening !== undefined) this.said.add("listening", line.listening);
    if (line.connected !== undefined) this.said.add("connected", line.connected);
    if (line.event !== undefined) this.said.add(line.event, line.payload);
  }
}
