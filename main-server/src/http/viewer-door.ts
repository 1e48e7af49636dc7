import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import * as z from "zod";
import { STREAMS_PATH, TerminalSize } from "@dockhost/protocol";
import type { OriginRule } from "../origin.ts";
import type { Accounts, User } from "../services/accounts.ts";
import type { Streams, StreamWish } from "../services/streams.ts";
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
}

/** Whose WebSockets have doors of their own. */
const ELSEWHERE = ["/socket.io/", `${STREAMS_PATH}/`];

/** The door for people's WebSockets: `/api/instances/<id>/logs|stats|shell|tcp/<port>` and `/api/backends/<id>/log`. */
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
    const { originAllowed, streams } = this.#options;
    const wish = wishIn(request.url ?? "");
    if (!originAllowed(origin, host)) {
      refuse(socket, "403 Forbidden");
      return;
    }
    if (!wish) {
      refuse(socket, "404 Not Found");
      return;
    }
    const user = await this.#userOf(cookie).catch(() => undefined);
    if (user) this.#sockets.handleUpgrade(request, socket, head, (viewer) => void streams.show(user, wish, viewer));
    else refuse(socket, "401 Unauthorized");
  }

  async #userOf(cookies: string | undefined): Promise<User | undefined> {
    const token = this.#options.parseCookies(cookies ?? "")[SESSION_COOKIE];
    return token === undefined ? undefined : this.#options.accounts.userOf(token);
  }
}

const ROUTES: readonly [RegExp, (id: string, query: object, port: string | undefined) => StreamWish][] = [
  [/^\/api\/instances\/([^/]+)\/logs$/, (id, query) => ({ kind: "logs", instanceId: id, ...Tail.parse(query) })],
  [/^\/api\/instances\/([^/]+)\/stats$/, (id) => ({ kind: "stats", instanceId: id })],
  [/^\/api\/instances\/([^/]+)\/shell$/, (id, query) => ({ kind: "shell", instanceId: id, ...Size.parse(query) })],
  [
    /^\/api\/instances\/([^/]+)\/tcp\/(\d+)$/,
    (id, _, port) => ({ kind: "tcp", instanceId: id, port: Port.parse(port) }),
  ],
  [/^\/api\/backends\/([^/]+)\/log$/, (id, query) => ({ kind: "backend-log", backendId: id, ...Tail.parse(query) })],
];

/** Undefined where no stream is meant, or none that there could be. */
function wishIn(url: string): StreamWish | undefined {
  if (!URL.canParse(url, ANY_HOST)) return undefined;
  const { pathname, searchParams } = new URL(url, ANY_HOST);
  for (const [pattern, read] of ROUTES) {
    const [, id, port] = pattern.exec(pathname) ?? [];
    if (id === undefined) continue;
    try {
      return read(decodeURIComponent(id), Object.fromEntries(searchParams), port);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
