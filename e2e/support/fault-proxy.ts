import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The path of a unix socket, or an address; a listener's port 0 means any. */
export type Endpoint = string | { readonly host: string; readonly port: number };

/** What the network does to bytes under way, in both directions. Nothing set: they pass as they are. */
export interface Faults {
  /** Each piece waits so long. */
  latencyMs?: number;
  /** Pieces are cut so small. */
  pieceBytes?: number;
  bytesPerSecond?: number;
  /** Bytes are taken and not handed on, nor is an end; they arrive when the fault is over. Half-open is both. */
  held?: "up" | "down" | "both";
}

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  /** The first line of the newest HTTP request, where it speaks HTTP. */
  request: string;
  /** Its next answer does not arrive, and then it is cut. */
  losesReply?: (() => void) | undefined;
}

interface Loss {
  readonly requests: RegExp;
  readonly lost: () => void;
}

const REQUEST = /^(?:GET|HEAD|POST|PUT|DELETE) [^\r\n]+(?= HTTP\/1)/;

/**
 * A bad network in front of a server, TCP or unix socket. Faults begin and end at any moment, for open connections too;
 * without any it hands on what it gets, as it gets it.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #listen: Endpoint;
  readonly #target: Endpoint;
  readonly #pairs = new Set<Pair>();
  readonly #losses = new Set<Loss>();
  readonly #waiting = new Set<() => void>();
  #server: Server | undefined;
  #faults: Faults = {};
  #port = 0;

  private constructor(listen: Endpoint, target: Endpoint) {
    this.#listen = listen;
    this.#target = target;
  }

  static async open(listen: Endpoint, target: Endpoint): Promise<FaultProxy> {
    const proxy = new FaultProxy(listen, target);
    await proxy.appear();
    return proxy;
  }

  /** Where a TCP listener listens; the same after it has vanished. */
  get port(): number {
    return this.#port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** What it does from now on, in place of what it did. */
  set faults(faults: Faults) {
    this.#faults = faults;
    for (const wake of this.#waiting) wake();
  }

  /** Listens again. */
  async appear(): Promise<void> {
    if (typeof this.#listen === "string") await rm(this.#listen, { force: true });
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    if (typeof this.#listen === "string") server.listen(this.#listen);
    else server.listen(this.#port || this.#listen.port, this.#listen.host);
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object") this.#port = address?.port ?? 0;
    this.#server = server;
  }

  /** Nobody listens any more, and every connection is cut. */
  async vanish(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    this.cut();
    await closed;
    if (typeof this.#listen === "string") await rm(this.#listen, { force: true });
  }

  /** Ends connections at both sides: all, or those whose newest HTTP request is one of `requests`. */
  cut(requests = /^/): void {
    for (const pair of this.#pairs) if (requests.test(pair.request)) destroy(pair);
  }

  /** Ends all connections as a crashed machine's kernel does: by a TCP reset. */
  reset(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /**
   * The next HTTP request whose line, such as `POST /v1.41/containers/create?name=x`, is one of `requests` arrives; its
   * answer does not, and the connection is cut. Resolves when that has happened.
   */
  loseReply(requests: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const loss = { requests, lost: resolve };
      this.#losses.add(loss);
    });
  }

  /** No reply that has not been lost yet is lost. */
  keepReplies(): void {
    this.#losses.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish();
  }

  #accept(client: Socket): void {
    const target = connectTo(this.#target);
    const pair: Pair = { client, target, request: "" };
    this.#pairs.add(pair);
    for (const socket of [client, target]) {
      socket.on("error", () => destroy(pair));
      socket.on("close", () => {
        if (client.destroyed && target.destroyed) this.#pairs.delete(pair);
      });
    }
    void this.#handOn(pair, "up");
    void this.#handOn(pair, "down");
  }

  async #handOn(pair: Pair, direction: "up" | "down"): Promise<void> {
    const [from, to] = direction === "up" ? [pair.client, pair.target] : [pair.target, pair.client];
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (direction === "up") this.#look(pair, chunk);
        for (let rest = chunk; rest.length > 0;) {
          const piece = rest.subarray(0, this.#faults.pieceBytes ?? rest.length);
          rest = rest.subarray(piece.length);
          await this.#passage(direction, piece.length);
          if (direction === "down" && pair.losesReply) {
            pair.losesReply();
            destroy(pair);
            return;
          }
          if (!to.write(piece)) await once(to, "drain");
        }
      }
      await this.#passage(direction, 0);
      to.end();
    } catch {
      destroy(pair);
    }
  }

  /** Resolves when the network has let `bytes` through. */
  async #passage(direction: "up" | "down", bytes: number): Promise<void> {
    const { latencyMs, bytesPerSecond } = this.#faults;
    if (latencyMs !== undefined) await delay(latencyMs);
    if (bytesPerSecond !== undefined) await delay((bytes / bytesPerSecond) * 1_000);
    while (this.#faults.held === direction || this.#faults.held === "both") await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  #look(pair: Pair, chunk: Buffer): void {
    const [request] = REQUEST.exec(chunk.toString("latin1", 0, 4_096)) ?? [];
    if (request === undefined) return;
    pair.request = request;
    for (const loss of this.#losses) {
      if (!loss.requests.test(request)) continue;
      this.#losses.delete(loss);
      pair.losesReply = loss.lost;
      return;
    }
  }
}

function connectTo(target: Endpoint): Socket {
  return connect(
    typeof target === "string" ? { path: target, allowHalfOpen: true } : { ...target, allowHalfOpen: true },
  );
}

function destroy({ client, target }: Pair): void {
  client.destroy();
  target.destroy();
}
