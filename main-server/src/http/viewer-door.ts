import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import * as z from "zod";
import { STREAM_CLOSE, STREAMS_PATH, TerminalSize, Username } from "@dockhost/protocol";
import type { OriginRule } from "../origin.ts";
import type { Accounts } from "../services/accounts.ts";
import type { Onlooker, Streams, StreamWish } from "../services/streams.ts";
import { SESSION_COOKIE } from "./sessions.ts";

const MAX_FRAME_BYTES = 64 * 1024;
const ANY_HOST = "http://localhost";

const Tail = z.object({
  tail: z.coerce.number().int().min(0).max(10_000).default(200),
  follow: z.stringbool().default(true),
});
const Size = z.object({
  columns: z.coerce.number().pipe(TerminalSize.shape.columns).default(80),
  rows: z.coerce.number().pipe(TerminalSize.shape.rows).default(24),
});
const Port = z.coerce.number().pipe(z.literal([22, 80, 443]));

interface ViewerDoorOptions {
  accounts: Accounts;
  streams: Streams;
  originAllowed: OriginRule;
  parseCookies: (header: string) => Record<string, string | undefined>;
  /** From where a request comes, a trusted proxy's word heeded. */
  addressOf: (request: IncomingMessage) => string;
}

/** Whose WebSockets have doors of their own. */
const ELSEWHERE = ["/socket.io/", `${STREAMS_PATH}/`];

/**
 * The door for people's WebSockets: `/api/instances/<id>/logs|stats|shell|tcp/<port>`, `/api/backends/<id>/log` and
 * `/api/backends/<id>/containers/<username>/stats`.
 */
export class ViewerDoor implements Disposable {
  readonly #options: ViewerDoorOptions;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });

  constructor(server: HttpServer, options: ViewerDoorOptions) {
    this.#options = options;
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!ELSEWHERE.some((path) => request.url?.startsWith(path))) void this.#receive(request, socket, head);
    });
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets.clients) socket.close(1001, "The main server is closing.");
  }

  async #receive(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // What is asked for on a connection that has broken meanwhile is nobody's.
    socket.on("error", () => socket.destroy());
    const { origin, host, cookie } = request.headers;
    const { accounts, originAllowed } = this.#options;
    const wish = wishIn(request.url ?? "");
    if (!originAllowed(origin, host)) {
      refuse(socket, "403 Forbidden");
      return;
    }
    if (!wish) {
      refuse(socket, "404 Not Found");
      return;
    }
    const token = this.#options.parseCookies(cookie ?? "")[SESSION_COOKIE] ?? "";
    const user = await accounts.userOf(token).catch(() => undefined);
    if (!user) {
      refuse(socket, "401 Unauthorized");
      return;
    }
    const onlooker = { user, address: this.#options.addressOf(request) };
    this.#sockets.handleUpgrade(request, socket, head, (viewer) => this.#show(onlooker, token, wish, viewer));
  }

  /** As long as the session lasts. */
  #show(onlooker: Onlooker, token: string, wish: StreamWish, viewer: WebSocket): void {
    const { accounts, streams } = this.#options;
    const end = (reason: string): void => viewer.close(STREAM_CLOSE.failed, reason);
    viewer.once("close", accounts.whileSignedIn(onlooker.user, token, end));
    void streams.show(onlooker, wish, viewer);
  }
}

const ROUTES: readonly [RegExp, (id: string, query: object, rest: string | undefined) => StreamWish][] = [
  [/^\/api\/instances\/([^/]+)\/logs$/, (id, query) => ({ kind: "logs", instanceId: id, ...Tail.parse(query) })],
  [/^\/api\/instances\/([^/]+)\/stats$/, (id) => ({ kind: "stats", instanceId: id })],
  [/^\/api\/instances\/([^/]+)\/shell$/, (id, query) => ({ kind: "shell", instanceId: id, ...Size.parse(query) })],
  [
    /^\/api\/instances\/([^/]+)\/tcp\/(\d+)$/,
    (id, _, port) => ({ kind: "tcp", instanceId: id, port: Port.parse(port) }),
  ],
  [/^\/api\/backends\/([^/]+)\/log$/, (id, query) => ({ kind: "backend-log", backendId: id, ...Tail.parse(query) })],
  [
    /^\/api\/backends\/([^/]+)\/containers\/([^/]+)\/stats$/,
    (id, _, username) => ({ kind: "stats", backendId: id, username: Username.parse(username) }),
  ],
];

/** Undefined where no stream is meant, or none that there could be. */
function wishIn(url: string): StreamWish | undefined {
  if (!URL.canParse(url, ANY_HOST)) return undefined;
  const { pathname, searchParams } = new URL(url, ANY_HOST);
  for (const [pattern, read] of ROUTES) {
    const [, id, rest] = pattern.exec(pathname) ?? [];
    if (id === undefined) continue;
    try {
      return read(decodeURIComponent(id), Object.fromEntries(searchParams), rest);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
