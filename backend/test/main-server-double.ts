import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import type { CommandInput, CommandName, Reply } from "@dockhost/protocol";

/** A main server as a stranger would write it: a Socket.IO server that sends commands and keeps what it is told. */
export class MainServerDouble {
  readonly io: Server;
  readonly reports: { name: string; payload: unknown }[] = [];
  readonly #http = createServer();
  readonly #told = new EventEmitter();
  #refusal: string | undefined;

  /** `transports`: those that it takes; both where they are not given. */
  constructor(transports?: ("websocket" | "polling")[]) {
    this.io = new Server(this.#http, transports && { transports });
    this.io.use((_, next) => next(this.#refusal === undefined ? undefined : new Error(this.#refusal)));
    this.io.on("connection", (socket) => {
      socket.onAny((name: string, payload: unknown) => {
        this.reports.push({ name, payload });
        this.#told.emit(`told ${name}`, payload);
      });
    });
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Refuses every handshake with these words, until told otherwise. */
  refuse(words: string | undefined): void {
    this.#refusal = words;
  }

  /** The next backend to connect. */
  nextConnection(): Promise<Socket> {
    return new Promise((resolve) => this.io.once("connection", resolve));
  }

  /** The payload of the next event of that name. */
  nextReport(name: string): Promise<unknown> {
    return new Promise((resolve) => this.#told.once(`told ${name}`, resolve));
  }

  /** The backend that is connected now. */
  get backend(): Socket {
    const [socket] = this.io.sockets.sockets.values();
    if (!socket) throw new Error("no backend is connected");
    return socket;
  }

  async command<Name extends CommandName>(name: Name, request: CommandInput<Name>): Promise<Reply<Name>> {
    return (await this.backend.timeout(20_000).emitWithAck(name, request)) as Reply<Name>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.io.close();
  }
}
