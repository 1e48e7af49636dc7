import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { STREAMS_PATH } from "@dockhost/protocol";
import { WebSocketServer, type WebSocket } from "ws";

/** How long a backend may take to open what it was told to, ms. */
const TOKEN_MS = 30_000;
const MAX_FRAME_BYTES = 1024 * 1024;

interface Expected {
  token: string;
  arrive: (socket: WebSocket) => void;
}

/** A stream that a backend is to open. */
export interface Expectation {
  readonly streamId: string;
  readonly token: string;
  /** Undefined where nobody has come in time. */
  readonly arrived: Promise<WebSocket | undefined>;
}

/** The door for the WebSockets that backends open for streams: each is expected, by a token that opens it once. */
export class StreamDoor implements Disposable {
  readonly #expected = new Map<string, Expected>();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });

  constructor(server: HttpServer) {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const path = request.url ?? "";
      if (path.startsWith(`${STREAMS_PATH}/`)) this.#receive(request, socket, head);
    });
  }

  expect(): Expectation {
    const streamId = randomUUID();
    const token = randomBytes(32).toString("base64url");
    const arrived = new Promise<WebSocket | undefined>((resolve) => {
      const late = setTimeout(() => {
        this.#expected.delete(streamId);
        resolve(undefined);
      }, TOKEN_MS).unref();
      const arrive = (socket: WebSocket): void => {
        clearTimeout(late);
        resolve(socket);
      };
      this.#expected.set(streamId, { token, arrive });
    });
    return { streamId, token, arrived };
  }

  /** Whoever comes for it now is refused. */
  forget({ streamId }: Expectation): void {
    this.#expected.delete(streamId);
  }

  [Symbol.dispose](): void {
    this.#expected.clear();
    for (const socket of this.#sockets.clients) socket.close(1001, "The main server is closing.");
  }

  #receive(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Whoever is refused may be gone already.
    socket.on("error", () => socket.destroy());
    const streamId = request.url?.slice(STREAMS_PATH.length + 1) ?? "";
    const expected = this.#expected.get(streamId);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!expected || !isSame(token, expected.token)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#expected.delete(streamId);
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      // Nothing is lost that comes before whoever waits for it listens.
      opened.pause();
      opened.on("error", () => undefined);
      expected.arrive(opened);
    });
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
