import { once } from "node:events";
import WebSocket from "ws";
import { STREAMS_PATH, type OpenStream } from "@dockhost/protocol";
import { DockHostError } from "../containers/errors.ts";
import type { StreamSource, StreamSources } from "../containers/stream-sources.ts";
import type { Log } from "../observe/log.ts";
import { Carriage } from "./carriage.ts";

/** Beyond these a stream is refused. */
const MAX_STREAMS = 64;
const DIAL_TIMEOUT_MS = 10_000;
const MAX_FRAME_BYTES = 64 * 1024;

interface StreamsParts {
  /** The main server's. */
  url: string;
  sources: StreamSources;
  log: Log;
}

/** Carries bytes, each stream over a WebSocket of its own that is dialled here. */
export class Streams implements AsyncDisposable {
  readonly #parts: StreamsParts;
  readonly #carriages = new Set<Carriage>();
  #opening = 0;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  /** Resolves when the stream flows. */
  async open({ streamId, token, target }: OpenStream): Promise<{ streamId: string }> {
    if (this.#carriages.size + this.#opening >= MAX_STREAMS) throw tooMany();
    this.#opening += 1;
    try {
      const source = await this.#parts.sources.open(target);
      // It may fail while the line to the main server is being dialled.
      source.bytes.on("error", () => undefined);
      const socket = await this.#dial(streamId, token, source);
      this.#carry(source, socket, target.kind === "tcp");
      return { streamId };
    } finally {
      this.#opening -= 1;
    }
  }

  /** Ends them all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#carriages].map((carriage) => carriage.end(1001, "The backend is shutting down.")));
  }

  async #dial(streamId: string, token: string, source: StreamSource): Promise<WebSocket> {
    const url = new URL(`${STREAMS_PATH}/${streamId}`, this.#parts.url);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, {
      headers: { Authorization: `Bearer ${token}` },
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    try {
      await once(socket, "open");
      return socket;
    } catch (cause) {
      await source[Symbol.asyncDispose]();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DockHostError("INTERNAL", `The stream's own connection to the main server failed: ${why}.`, { cause });
    }
  }

  #carry(source: StreamSource, socket: WebSocket, isTunnel: boolean): void {
    const carriage = new Carriage(source, socket, { isWindowed: !isTunnel });
    this.#carriages.add(carriage);
    void carriage.ended.then((error) => {
      this.#carriages.delete(carriage);
      if (error) this.#parts.log.warn({ error }, "A stream has failed");
    });
  }
}

const tooMany = (): DockHostError =>
  new DockHostError("CAPACITY", `This backend carries ${MAX_STREAMS} streams already; close some, or try again later.`);
