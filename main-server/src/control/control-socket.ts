import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import * as z from "zod";

const Request = z.object({ restore: z.string() });
const Reply = z.union([z.object({ kept: z.string() }), z.object({ problem: z.string() })]);

/** What an operator's command asks of the main server that runs. A failure's message is told as it is. */
export interface Controls {
  /** Answers the file in which the former contents are kept. */
  restore: (staged: string) => Promise<string>;
}

/** Who may enter the data directory may speak to it; nobody else can. */
const socketIn = (dataDir: string) => join(dataDir, "main-server.control");

/** A unix socket's address holds no more, and longer ones are cut off without a word. */
const MAX_ADDRESS_BYTES = 107;

/** Who enters and asks nothing must not keep the server from closing. */
const REQUEST_MS = 2_000;

/** A door for operators in the data directory, which must be ours alone: what a killed process left is taken away. */
export class ControlSocket implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Undefined where the path is too long for a socket. */
  static async open(dataDir: string, controls: Controls): Promise<ControlSocket | undefined> {
    const path = socketIn(dataDir);
    if (Buffer.byteLength(path) > MAX_ADDRESS_BYTES) return undefined;
    await rm(path, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket, controls));
    server.unref().listen(path);
    await once(server, "listening");
    await chmod(path, 0o600);
    return new ControlSocket(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function serve(socket: Socket, { restore }: Controls): Promise<void> {
  socket.on("error", () => socket.destroy());
  socket.setTimeout(REQUEST_MS, () => socket.destroy());
  try {
    const request = Request.parse(JSON.parse(await everythingFrom(socket)));
    socket.setTimeout(0);
    socket.end(JSON.stringify({ kept: await restore(request.restore) }));
  } catch (error) {
    socket.end(JSON.stringify({ problem: error instanceof Error ? error.message : String(error) }));
  }
}

const ENDED = "The main server ended before it answered; look at its log, then restore again.";

/** Asks the main server of `dataDir` to restore; its answer, or undefined where none is there to be asked. */
export async function askToRestore(dataDir: string, staged: string): Promise<z.infer<typeof Reply> | undefined> {
  const socket = createConnection({ path: socketIn(dataDir), allowHalfOpen: true });
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.end(JSON.stringify({ restore: staged }));
  const said = await everythingFrom(socket);
  return said === "" ? { problem: ENDED } : Reply.parse(JSON.parse(said));
}

/** Until the far end has said all; ours stays open. */
async function everythingFrom(socket: Socket): Promise<string> {
  let said = "";
  socket.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(socket, "end");
  return said;
}
