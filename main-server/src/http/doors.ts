import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import type { Log } from "../observe/log.ts";
import { toUrl, type ListenAddress } from "../listen-address.ts";

/** An address that must be had could not be. `message` is one sentence for whoever starts the server. */
export class ListenError extends Error {
  constructor(url: string, cause: unknown) {
    super(`Cannot listen on ${url}: ${reasonOf(cause)}.`, { cause });
    this.name = "ListenError";
  }
}

const GRACE_MS = 2_000;
const IDLE_CHECK_MS = 50;

/** Every address that we listen on; each hands what comes in, requests and upgrades alike, to the one `house`. */
export class Doors implements AsyncDisposable {
  readonly urls: readonly string[];
  readonly #servers: readonly Server[];
  /** Upgraded ones too, which a server no longer counts among its own. */
  readonly #sockets = new Set<Socket>();

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
    this.urls = servers.map(urlOf);
    for (const server of servers) server.on("connection", (socket) => this.#follow(socket));
  }

  /** Throws ListenError, with every door closed, where a required address cannot be had. */
  static async open(house: Server, addresses: readonly ListenAddress[], log: Log): Promise<Doors> {
    const servers: Server[] = [];
    for (const address of addresses) {
      try {
        servers.push(await openDoor(house, address));
      } catch (error) {
        const failure = new ListenError(toUrl(address.host, address.port), error);
        if (address.required) {
          await new Doors(servers)[Symbol.asyncDispose]();
          throw failure;
        }
        log.warn(`${failure.message} It is passed over.`);
      }
    }
    return new Doors(servers);
  }

  /** Lets what is under way end, for a while. */
  async [Symbol.asyncDispose](): Promise<void> {
    const limit = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, GRACE_MS);
    await Promise.all(this.#servers.map(closeDoor));
    clearTimeout(limit);
  }

  #follow(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

async function openDoor(house: Server, { host, port }: ListenAddress): Promise<Server> {
  const door = createServer();
  door.on("request", (request, response) => house.emit("request", request, response));
  door.on("upgrade", (request, socket, head) => house.emit("upgrade", request, socket, head));
  door.listen({ host, port });
  await once(door, "listening");
  return door;
}

function closeDoor(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that has its last answer is idle only from then on.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
  });
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return toUrl(address, port);
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") return "the address is in use by another program";
  if (code === "EADDRNOTAVAIL") return "this machine does not have that address";
  if (code === "EACCES") return "ports below 1024 need more rights";
  return cause instanceof Error ? cause.message : String(cause);
}
