import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { BackendConnection } from "./backend-connection.ts";

export const API_KEY = "dkh_e2e-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

export interface ServerOptions {
  /** 127.0.0.1 where nothing is said. */
  host?: string;
  /** 0: any. */
  port?: number;
  /** After so long without an answer to a ping it gives a connection up, and a backend does after both together, ms. */
  pingTimeout?: number;
  pingInterval?: number;
  transports?: ("polling" | "websocket")[];
  /** Asked at each connect. */
  accepts?: (apiKey: unknown) => boolean;
}

/** A main server that only listens: a real Socket.IO server whose backends a test commands by hand. */
export class MainServerDouble implements AsyncDisposable {
  /** Known also when it no longer listens. */
  port = 0;
  readonly connections: BackendConnection[] = [];
  /** When each refused connect came, ms. */
  readonly refusals: number[] = [];
  readonly #host: string;
  readonly #http: HttpServer;
  readonly #io: Server;
  readonly #waiting: ((connection: BackendConnection) => void)[] = [];

  private constructor(http: HttpServer, options: ServerOptions) {
    const { host = "127.0.0.1", transports, accepts = (key) => key === API_KEY } = options;
    const { pingInterval = 2_000, pingTimeout = 20_000 } = options;
    this.#host = host;
    this.#http = http;
    this.#io = new Server(http, { ...(transports && { transports }), pingInterval, pingTimeout });
    this.#io.use((socket, next) => {
      const { DOCKHOST_API_KEY } = socket.handshake.auth;
      if (accepts(DOCKHOST_API_KEY)) {
        next();
        return;
      }
      this.refusals.push(performance.now());
      next(new Error("unknown key"));
    });
    this.#io.on("connection", (socket) => {
      const connection = new BackendConnection(socket);
      this.connections.push(connection);
      for (const resolve of this.#waiting.splice(0)) resolve(connection);
    });
  }

  static async listen(options: ServerOptions = {}): Promise<MainServerDouble> {
    const http = createServer();
    const server = new MainServerDouble(http, options);
    http.listen(options.port ?? 0, server.#host);
    await once(http, "listening");
    server.port = (http.address() as AddressInfo).port;
    return server;
  }

  get url(): string {
    return `http://${this.#host}:${this.port}`;
  }

  /** The newest connection, or the first one that comes. */
  async connection(): Promise<BackendConnection> {
    const newest = this.connections.at(-1);
    return newest?.isOpen ? newest : this.nextConnection();
  }

  /** The next one that comes. */
  nextConnection(): Promise<BackendConnection> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#io.close();
  }
}
