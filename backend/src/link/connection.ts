import { io, type Socket } from "socket.io-client";
import { BACKEND_ROLE, PROTOCOL_VERSION, SUPERSEDED_EVENT } from "@dockhost/protocol";
import type { Log } from "../observe/log.ts";
import { steps } from "../observe/steps.ts";
import { Backoff } from "./backoff.ts";
import { connectionFault } from "./connection-fault.ts";
import { FrameError, frameGuards } from "./frames.ts";

const step = steps("link");

/** A refused key may be enabled again, but nobody waits at the door: tried again this slowly, ms. */
const REFUSED_RETRY_MS = { first: 15_000, last: 30_000 };
const LOST_RETRY_MS = { first: 1_000, last: 30_000 };
/** A connection that lasted this long was a good one, ms. */
const STABLE_MS = 10_000;

export interface ConnectionOptions {
  url: string;
  apiKey: string;
  version: string;
  /** Random for each process. */
  agentId: string;
  /** Where users reach this machine; asked at each connect. */
  lanAddress: () => string;
  log: Log;
  /** Shorter in tests. */
  retryMs?: Partial<Record<"lost" | "refused", { first: number; last: number }>> | undefined;
}

/**
 * The connection to the main server, kept for ever: after a lost network, after the server's own disconnect and after
 * a refused key (which Socket.IO by itself never tries again), with one timer for all of them. It ends for good when
 * another agent has taken over the key, or when it is closed.
 */
export class Connection {
  readonly socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #lost: Backoff;
  readonly #refused: Backoff;
  #retry: NodeJS.Timeout | undefined;
  #connectedAt = 0;
  #over = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { lost = LOST_RETRY_MS, refused = REFUSED_RETRY_MS } = options.retryMs ?? {};
    this.#lost = new Backoff(lost.first, lost.last);
    this.#refused = new Backoff(refused.first, refused.last);
    const { apiKey, version, agentId, lanAddress } = options;
    const known = { DOCKHOST_API_KEY: apiKey, protocol: PROTOCOL_VERSION, version, agentId };
    this.socket = io(options.url, {
      autoConnect: false,
      reconnection: false,
      ...frameGuards(options.url),
      tryAllTransports: true,
      query: { role: BACKEND_ROLE },
      auth: (send: (auth: object) => void) => send({ ...known, LAN_IP: lanAddress() }),
    });
    this.socket.on("connect", () => this.#connected());
    this.socket.on("connect_error", (error) => this.#failed(error));
    this.socket.on("disconnect", (reason, details) => this.#disconnected(reason, details));
    this.socket.on(SUPERSEDED_EVENT, () => this.#superseded());
  }

  open(): void {
    this.socket.connect();
  }

  close(): void {
    this.#end();
  }

  #connected(): void {
    // Socket.IO tells a welcome a tick late, also where its connection ended in that tick; it would stay so for ever.
    if (this.socket.io.engine.readyState !== "open") return void this.socket.disconnect();
    this.#connectedAt = performance.now();
    this.#refused.reset();
    this.#options.log.info({ server: this.#options.url }, "Connected to the main server");
  }

  #failed(error: Error): void {
    if (this.#over) return;
    // A refusal of a connection that stands already: what it means nobody can tell.
    if (this.socket.connected) return void this.socket.disconnect();
    // Socket.IO itself gives up after a refusal, and only then.
    const wasRefused = !this.socket.active;
    const { message, remedy } = connectionFault(error, wasRefused, this.#options.url);
    const retryMs = (wasRefused ? this.#refused : this.#lost).next();
    this.#options.log.warn({ retryInMs: retryMs }, `${message}; ${remedy}`);
    this.#tryAgainIn(retryMs);
  }

  #disconnected(reason: Socket.DisconnectReason, details: unknown): void {
    if (this.#over) return;
    // A server that takes the connection only to end it is not asked every second.
    if (performance.now() - this.#connectedAt > STABLE_MS) this.#lost.reset();
    const retryMs = this.#lost.next();
    const cause = frameFault(reason, details) ?? "Lost the main server";
    this.#options.log.warn({ reason, retryInMs: retryMs }, `${cause}; containers keep running`);
    this.#tryAgainIn(retryMs);
  }

  #superseded(): void {
    this.#options.log.error(
      {},
      "Another agent has connected with this API key and acts now; this one stops trying until it is restarted",
    );
    this.#end();
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#retry);
    this.socket.disconnect();
  }

  #tryAgainIn(ms: number): void {
    clearTimeout(this.#retry);
    step(`next try in ${ms} ms`);
    this.#retry = setTimeout(() => this.socket.connect(), ms);
  }
}

/** Where the main server's own frame has ended the connection. */
function frameFault(reason: Socket.DisconnectReason, details: unknown): string | undefined {
  const { description } = (details ?? {}) as { description?: unknown };
  if (description instanceof FrameError) return `${description.message}, which ended the connection`;
  if (reason === "parse error") return "The main server sent what is no Socket.IO packet, which ended the connection";
  return undefined;
}
