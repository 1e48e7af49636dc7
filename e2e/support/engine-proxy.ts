import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { rm } from "node:fs/promises";

const ENGINE = "/var/run/docker.sock";

/** The real Engine behind a socket of our own, which can vanish, hang, and come back. */
export class EngineProxy implements AsyncDisposable {
  readonly address: string;
  readonly #path: string;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #hangs = false;

  constructor(path: string) {
    this.#path = path;
    this.address = `unix://${path}`;
  }

  /** The Engine is there again. */
  async appear(): Promise<void> {
    await rm(this.#path, { force: true });
    this.#server = createServer((client) => this.#pair(client, connect(ENGINE)));
    this.#server.listen(this.#path);
    await once(this.#server, "listening");
  }

  /** The Engine is gone, and so is every connection to it. */
  async vanish(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    await rm(this.#path, { force: true });
  }

  /** The Engine takes calls and answers none. */
  hang(hangs: boolean): void {
    this.#hangs = hangs;
    for (const socket of this.#open) {
      if (hangs) socket.pause();
      else socket.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish();
  }

  #pair(client: Socket, engine: Socket): void {
    client.pipe(engine).pipe(client);
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#open.add(socket);
      if (this.#hangs) socket.pause();
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#open.delete(socket);
        other.destroy();
      });
    }
  }
}
