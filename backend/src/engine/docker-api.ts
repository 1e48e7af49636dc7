import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export type EngineAddress =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: boolean };

/** The Engine's answer where that is no success (2xx): HTTP status, and what it says. */
export class DockerApiError extends Error {
  override readonly name = "DockerApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface CallOptions {
  /** An array or an object stands in it as JSON, as the Engine wants its filters; what is undefined not at all. */
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

type Query = Readonly<Record<string, string | number | boolean | object | undefined>>;

/** So long a connection is kept for the next call, ms: nobody tells when a host at its other end has vanished. */
const KEPT_IDLE_MS = 5_000;

type Method = "GET" | "POST" | "DELETE";

/**
 * The Docker Engine API over HTTP: a kept-alive connection for each call under way, however many, so that one that hangs
 * holds up no other. Every method rejects with a DockerApiError, or with the socket's error where no answer came.
 * https://docs.docker.com/reference/api/engine/
 */
export class DockerApi {
  readonly #send: typeof http.request;
  readonly #where: http.RequestOptions;
  readonly #agent: http.Agent;

  constructor(address: EngineAddress) {
    const isTls = address.kind === "tcp" && address.tls;
    const { Agent, request } = isTls ? https : http;
    const where =
      address.kind === "unix" ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
    this.#send = request;
    this.#agent = new Agent({ keepAlive: true, timeout: KEPT_IDLE_MS });
    this.#where = { ...where, agent: this.#agent };
  }

  /** The answer's JSON; undefined where it has no body. */
  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const body = (await this.bytes(method, path, options)).toString("utf8");
    return (body === "" ? undefined : JSON.parse(body)) as T;
  }

  async bytes(method: Method, path: string, options: CallOptions = {}): Promise<Buffer> {
    return whole(await this.stream(method, path, options));
  }

  /** The answer's body as it comes, once the Engine has begun to answer with success. */
  async stream(method: Method, path: string, options: CallOptions = {}): Promise<http.IncomingMessage> {
    const answer = await this.#ask(method, path, options);
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status < 300) return answer;
    throw new DockerApiError(status, messageIn((await whole(answer)).toString("utf8")));
  }

  /** The raw connection that the Engine hands over in answer to `body`. */
  async upgrade(path: string, body: unknown): Promise<Duplex> {
    const text = JSON.stringify(body);
    const headers = { ...jsonHeaders(text), Connection: "Upgrade", Upgrade: "tcp" };
    return new Promise((resolve, reject) => {
      const request = this.#send({ ...this.#where, method: "POST", path, headers });
      request.on("error", reject);
      request.on("upgrade", (_answer, socket: Socket, head) => {
        if (head.length > 0) socket.unshift(head);
        // It was one of the calls' connections, which are given up when nothing goes through for a while.
        socket.setTimeout(0);
        resolve(socket);
      });
      request.on("response", (answer) => {
        whole(answer).then((said) => {
          reject(new DockerApiError(answer.statusCode ?? 0, messageIn(said.toString("utf8"))));
        }, reject);
      });
      request.end(text);
    });
  }

  #ask(method: Method, path: string, { query = {}, body, signal }: CallOptions): Promise<http.IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : jsonHeaders(text);
    return new Promise((resolve, reject) => {
      const options = { ...this.#where, method, path: path + queryString(query), headers, ...(signal && { signal }) };
      const request = this.#send(options, resolve).end(text);
      request.on("error", (error) => {
        if (request.reusedSocket) this.#closeIdle();
        reject(error);
      });
    });
  }

  /** Where one kept connection has turned out to be dead, so are the others: the Engine has restarted. */
  #closeIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }
}

/** By its events: Node's own `stream/consumers` goes by an iterator and a Blob, a tenth of what a whole call costs. */
function whole(answer: http.IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    answer.on("data", (piece: Buffer) => pieces.push(piece));
    answer.once("error", reject);
    answer.once("end", () => resolve(Buffer.concat(pieces)));
  });
}

const jsonHeaders = (text: string) => ({
  "Content-Type": "application/json",
  "Content-Length": Buffer.byteLength(text),
});

function queryString(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const pairs = given.map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}

/** The Engine says what is wrong as `{ "message": … }`; a proxy before it may say anything. */
function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Then it is what it says.
  }
  return body.trim();
}
