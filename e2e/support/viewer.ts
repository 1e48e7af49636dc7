import { once } from "node:events";
import WebSocket from "ws";
import type { InstanceStats } from "../../protocol/src/index.ts";

export interface Closed {
  code: number;
  reason: string;
}

/** A person's WebSocket at the main server, as their browser opens it: it says how far it has come. */
export class Viewer implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  received = 0;
  #text = "";
  /** While false, nothing more is said to have been seen. */
  #isLooking = true;
  readonly #onData = new Set<() => void>();

  constructor(url: string, path: string, headers: Record<string, string>) {
    this.socket = new WebSocket(url.replace(/^http/, "ws") + path, { headers });
    this.closed = new Promise((resolve) => {
      this.socket.once("close", (code, reason) => resolve({ code, reason: reason.toString("utf8") }));
    });
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data: Buffer) => this.#receive(data));
  }

  get text(): string {
    return this.#text;
  }

  /** Lines that are whole. */
  get stats(): InstanceStats[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as InstanceStats);
  }

  async open(): Promise<this> {
    await once(this.socket, "open");
    return this;
  }

  /** The HTTP status by which it was refused. */
  async refused(): Promise<number> {
    const [, response] = (await once(this.socket, "unexpected-response")) as [unknown, { statusCode: number }];
    return response.statusCode;
  }

  type(text: string): void {
    this.socket.send(Buffer.from(text));
  }

  resize(columns: number, rows: number): void {
    this.socket.send(JSON.stringify({ kind: "resize", columns, rows }));
  }

  lookAway(): void {
    this.#isLooking = false;
  }

  lookAgain(): void {
    this.#isLooking = true;
    this.#saySeen();
  }

  /** Forgets what has come, and how it began. */
  forget(): void {
    this.#text = "";
  }

  /** Resolves when what came matches. */
  async saw(pattern: RegExp, withinMs = 15_000): Promise<RegExpExecArray> {
    const found = pattern.exec(this.#text);
    if (found) return found;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.#text);
        if (match) done(() => resolve(match));
      };
      const done = (tell: () => void): void => {
        clearTimeout(late);
        this.#onData.delete(look);
        tell();
      };
      const late = setTimeout(() => {
        done(() => reject(new Error(`${String(pattern)} did not come; last: ${this.#text.slice(-500)}`)));
      }, withinMs);
      void this.closed.then(({ code, reason }) => {
        done(() => reject(new Error(`closed with ${code} (${reason}) before ${String(pattern)}`)));
      });
      this.#onData.add(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #receive(data: Buffer): void {
    this.received += data.length;
    // Of a flood only its end is of interest.
    this.#text = (this.#text + data.toString("utf8")).slice(-100_000);
    if (this.#isLooking) this.#saySeen();
    for (const look of this.#onData) look();
  }

  #saySeen(): void {
    this.socket.send(JSON.stringify({ kind: "seen", bytes: this.received }));
  }
}
