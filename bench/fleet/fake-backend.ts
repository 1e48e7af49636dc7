import { io, type Socket } from "socket.io-client";
import { Backoff } from "../../backend/src/link/backoff.ts";
import { BACKEND_ROLE, PROTOCOL_VERSION } from "../../protocol/src/index.ts";
import { apiKeyOf, containerOf, CONTAINERS_EACH, STATUS, usernameOf } from "./population.ts";

/** As a backend waits between its tries, ms. */
const RETRY_MS = { first: 1_000, last: 30_000 };

type Reply = (reply: object) => void;

/** A backend without Docker: a real Socket.IO client that keeps the wire contract and answers at once. */
export class FakeBackend {
  readonly #number: number;
  readonly #socket: Socket;
  readonly #backoff = new Backoff(RETRY_MS.first, RETRY_MS.last);
  #retry: NodeJS.Timeout | undefined;
  /** One bit for each container: whether it is stopped. */
  stopped = 0;

  constructor(url: string, number: number, onConnect: () => void) {
    this.#number = number;
    this.#socket = io(url, {
      auth: {
        DOCKHOST_API_KEY: apiKeyOf(number),
        protocol: PROTOCOL_VERSION,
        version: STATUS.version,
        agentId: `bench-${number}`,
      },
      query: { role: BACKEND_ROLE },
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
    });
    this.#socket.on("connect", () => {
      this.#backoff.reset();
      this.beat();
      this.#socket.emit("inventory", { containers: this.#containers() });
      onConnect();
    });
    for (const end of ["disconnect", "connect_error"]) this.#socket.on(end, () => this.#tryAgain());
    this.#socket.on("start-container", (request: { username: string }, reply: Reply) => this.#turn(request, 0, reply));
    this.#socket.on("stop-container", (request: { username: string }, reply: Reply) => this.#turn(request, 1, reply));
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  connect(): void {
    this.#socket.connect();
  }

  beat(): void {
    if (this.#socket.connected) this.#socket.volatile.emit("backend-status", STATUS);
  }

  close(): void {
    this.#socket.off("disconnect").off("connect_error").disconnect();
    clearTimeout(this.#retry);
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#socket.connect(), this.#backoff.next());
  }

  #containers() {
    return Array.from({ length: CONTAINERS_EACH }, (_, slot) => this.#container(slot));
  }

  #container(slot: number) {
    return containerOf(this.#number, slot, (this.stopped >> slot) & 1 ? "stopped" : "running");
  }

  #turn({ username }: { username: string }, bit: 0 | 1, reply: Reply): void {
    const slot = Number(username.slice(username.lastIndexOf("-") + 1));
    if (usernameOf(this.#number, slot) !== username) throw new Error(`${username} is not on backend ${this.#number}.`);
    this.stopped = (this.stopped & ~(1 << slot)) | (bit << slot);
    reply({ success: true, message: "Done.", data: this.#container(slot) });
  }
}
