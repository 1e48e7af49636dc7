import { randomBytes } from "node:crypto";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { HandshakeAuth } from "../protocol/src/index.ts";

/** The backend's far end: a real Socket.IO server on loopback that knows one key. */
export class BenchMainServer implements AsyncDisposable {
  readonly apiKey = randomBytes(32).toString("base64url");
  readonly #http: HttpServer;
  readonly #sockets: Server;

  private constructor(http: HttpServer) {
    this.#http = http;
    this.#sockets = new Server(http, { serveClient: false });
    this.#sockets.use((socket, next) => {
      const auth = HandshakeAuth.safeParse(socket.handshake.auth);
      next(auth.data?.DOCKHOST_API_KEY === this.apiKey ? undefined : new Error("Authentication failed"));
    });
  }

  static async listen(): Promise<BenchMainServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return new BenchMainServer(http);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The next backend that comes with the right key. */
  nextBackend(): Promise<Socket> {
    return new Promise((resolve) => this.#sockets.once("connection", resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sockets.close();
  }
}
