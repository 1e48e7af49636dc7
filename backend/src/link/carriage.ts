import { Duplex } from "node:stream";
import type WebSocket from "ws";
import { STREAM_CLOSE, UNSEEN_BYTES_MAX, ViewerMessage } from "@dockhost/protocol";
import type { StreamSource } from "../containers/stream-sources.ts";

/** Of what waits to leave this process, in bytes: beyond it the source waits. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** How often the other side is asked for a sign of life, ms; who gives none until the next time is gone. */
const PING_MS = 20_000;
/** A WebSocket's reason for its end has no room for more, in bytes. */
const REASON_BYTES_MAX = 123;

interface CarriageOptions {
  /** Whether the viewer says how far it has come, and is waited for. */
  isWindowed: boolean;
}

/** Carries the bytes of one source over one WebSocket, no faster than either side takes them, until either ends. */
export class Carriage {
  /** Resolves when both have ended, with what failed, if anything did. */
  readonly ended: Promise<Error | undefined>;
  readonly #source: StreamSource;
  readonly #socket: WebSocket;
  readonly #isWindowed: boolean;
  readonly #pings: NodeJS.Timeout;
  #sent = 0;
  #seen = 0;
  #isAlive = true;
  #failure: Error | undefined;

  constructor(source: StreamSource, socket: WebSocket, { isWindowed }: CarriageOptions) {
    this.#source = source;
    this.#socket = socket;
    this.#isWindowed = isWindowed;
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        clearInterval(this.#pings);
        void source[Symbol.asyncDispose]().then(() => resolve(this.#failure));
      });
    });
    this.#toViewer();
    this.#fromViewer();
  }

  /** Closes it by `code` of WebSocket and a reason. */
  async end(code: number, reason: string): Promise<void> {
    this.#socket.close(code, shortened(reason));
    await this.ended;
  }

  #toViewer(): void {
    const { bytes } = this.#source;
    bytes.on("data", (chunk: Buffer) => {
      this.#sent += chunk.length;
      this.#socket.send(chunk, () => this.#flow());
      this.#flow();
    });
    bytes.once("end", () => this.#socket.close(1000));
    bytes.once("error", (error) => this.#fail(error));
    bytes.once("close", () => this.#socket.close(1000));
    // It may have come to its end already, and says so no more.
    if (bytes.closed) this.#socket.close(1000);
  }

  #fromViewer(): void {
    const { bytes } = this.#source;
    this.#socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) this.#hear(data.toString("utf8"));
      else if (bytes instanceof Duplex && bytes.writable && !bytes.write(data)) {
        this.#socket.pause();
        bytes.once("drain", () => this.#socket.resume());
      }
    });
    this.#socket.on("pong", () => (this.#isAlive = true));
    this.#socket.on("error", (error) => this.#fail(error));
  }

  #hear(text: string): void {
    const message = parsed(text);
    if (!message) {
      this.#socket.close(STREAM_CLOSE.failed, "A text frame says nothing that is known here.");
      return;
    }
    if (message.kind === "resize") {
      // A shell that has just ended has no size any more.
      this.#source.resize?.(message).catch(() => undefined);
      return;
    }
    this.#seen = message.bytes;
    this.#flow();
  }

  #flow(): void {
    const { bytes } = this.#source;
    const unseen = this.#isWindowed ? this.#sent - this.#seen : 0;
    if (unseen > UNSEEN_BYTES_MAX || this.#socket.bufferedAmount > UNSENT_BYTES_MAX) bytes.pause();
    else if (bytes.isPaused()) bytes.resume();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.close(STREAM_CLOSE.failed, shortened(error.message));
  }

  #ping(): void {
    if (this.#isAlive) this.#socket.ping();
    else this.#socket.terminate();
    this.#isAlive = false;
  }
}

function parsed(text: string): ViewerMessage | undefined {
  try {
    return ViewerMessage.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= REASON_BYTES_MAX) return reason;
  return (
    bytes
      .subarray(0, REASON_BYTES_MAX - 3)
      .toString("utf8")
      .replace(/\uFFFD$/, "") + "…"
  );
}
