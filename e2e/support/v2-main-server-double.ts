import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";

export interface V2Reply {
  readonly status: number;
  readonly success: boolean;
  readonly message: string;
  readonly PORT_NO?: number;
}

/**
 * A main server of the older dialect, written from the table of its events alone: it sends an event without a callback,
 * and waits for one that is named after the user. Besides, it can speak the contract's commands, as two servers in one.
 */
export class V2MainServerDouble implements AsyncDisposable {
  /** Everything the backend has said, in its order. */
  readonly said: { name: string; payload: unknown }[] = [];
  port = 0;
  /** How often a backend has connected. */
  connections = 0;
  readonly #http: HttpServer;
  readonly #io: Server;
  #backend: Socket | undefined;

  private constructor(http: HttpServer) {
    this.#http = http;
    this.#io = new Server(http);
    this.#io.on("connection", (socket) => {
      this.#backend = socket;
      this.connections += 1;
      socket.onAny((name: string, payload: unknown) => this.said.push({ name, payload }));
    });
  }

  static async listen(): Promise<V2MainServerDouble> {
    const http = createServer();
    const server = new V2MainServerDouble(http);
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    server.port = (http.address() as AddressInfo).port;
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get backend(): Socket {
    if (!this.#backend) throw new Error("no backend is connected");
    return this.#backend;
  }

  get lanIp(): unknown {
    return (this.backend.handshake.auth as { LAN_IP?: unknown }).LAN_IP;
  }

  /** Resolves when a backend has connected and told its containers. */
  async ready(): Promise<void> {
    await this.#until(() => this.said.some(({ name }) => name === "inventory"));
  }

  /** Sends an event, and answers what is then emitted under its user's name. */
  async ask(event: string, payload: { USERNAME: string; [field: string]: unknown }): Promise<unknown> {
    const before = this.said.length;
    this.backend.emit(event, payload);
    const answer = () => this.said.slice(before).find(({ name }) => name === payload.USERNAME);
    await this.#until(() => answer() !== undefined);
    return answer()?.payload;
  }

  async start(USERNAME: string, SSH_PUB_KEY: string, startingPortNo: number): Promise<V2Reply> {
    return (await this.ask("start_container", { USERNAME, SSH_PUB_KEY, startingPortNo })) as V2Reply;
  }

  async stop(USERNAME: string): Promise<V2Reply> {
    return (await this.ask("stop_container", { USERNAME })) as V2Reply;
  }

  async resume(USERNAME: string): Promise<V2Reply> {
    return (await this.ask("resume_container", { USERNAME })) as V2Reply;
  }

  async delete(USERNAME: string): Promise<V2Reply> {
    return (await this.ask("delete_container", { USERNAME })) as V2Reply;
  }

  exists(USERNAME: string): Promise<unknown> {
    return this.ask("check_if_container_exists", { USERNAME });
  }

  runs(USERNAME: string): Promise<unknown> {
    return this.ask("check_if_container_running", { USERNAME });
  }

  /** Sends whatever is given, and hears nothing. */
  send(event: string, ...payload: readonly unknown[]): void {
    this.backend.emit(event, ...payload);
  }

  /** A command of the contract, to the same backend. */
  async command(name: string, request: unknown): Promise<Record<string, unknown>> {
    return (await this.backend.timeout(60_000).emitWithAck(name, request)) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#io.close();
  }

  async #until(isTrue: () => boolean): Promise<void> {
    for (const begin = performance.now(); !isTrue();) {
      if (performance.now() - begin > 60_000) throw new Error(`not heard; heard: ${JSON.stringify(this.said)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
