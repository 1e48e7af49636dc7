import type { Socket } from "socket.io-client";
import type { BackendStatus, ContainerChanged, OperationPhase, Report, ReportName } from "@dockhost/protocol";
import type { Log } from "../observe/log.ts";

const HEARTBEAT_MS = 10_000;
/** Changes that come together are told in one status, ms. */
const STATUS_PAUSE_MS = 500;

export interface ReportSources {
  status(): Promise<BackendStatus>;
  /** Undefined while it is not known. */
  inventory(): Promise<Report<"inventory"> | undefined>;
}

/**
 * What the backend tells unasked: on every connect the whole truth, then changes as they come and its status every
 * 10 s. Levels, not edges: what is lost on the way is made good by the next connect, so nothing is kept for later.
 */
export class Reports implements Disposable {
  readonly #socket: Socket;
  readonly #sources: ReportSources;
  readonly #log: Log;
  readonly #heartbeat: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;

  constructor(socket: Socket, sources: ReportSources, log: Log) {
    this.#socket = socket;
    this.#sources = sources;
    this.#log = log;
    this.#socket.on("connect", () => this.resync());
    this.#heartbeat = setInterval(() => void this.#send("backend-status", sources.status(), "volatile"), HEARTBEAT_MS);
  }

  /** Status and inventory; also wanted when the Engine is back. */
  resync(): void {
    this.#statusNow();
    void this.#send("inventory", this.#sources.inventory(), "sure");
  }

  /** Something in the status has changed: it is told soon. */
  statusChanged(): void {
    this.#soon ??= setTimeout(() => this.#statusNow(), STATUS_PAUSE_MS);
  }

  changed(change: ContainerChanged): void {
    this.#emit("container-changed", change, "sure");
    this.statusChanged();
  }

  progress(
    operation: { username: string | undefined; operationId: string | undefined },
    phase: OperationPhase,
    bytes: { current: number; total: number } | undefined,
  ): void {
    const { username, operationId } = operation;
    if (username === undefined) return;
    this.#emit("operation-progress", { username, operationId, phase, ...bytes }, "sure");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#soon);
  }

  #statusNow(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    void this.#send("backend-status", this.#sources.status(), "sure");
  }

  async #send<Name extends ReportName>(
    name: Name,
    report: Promise<Report<Name> | undefined>,
    delivery: Delivery,
  ): Promise<void> {
    try {
      const payload = await report;
      if (payload !== undefined) this.#emit(name, payload, delivery);
    } catch (error) {
      this.#log.debug({ report: name, error }, "A report could not be made; the next one will");
    }
  }

  #emit<Name extends ReportName>(name: Name, payload: Report<Name>, delivery: Delivery): void {
    if (!this.#socket.connected) return;
    if (delivery === "volatile") this.#socket.volatile.emit(name, payload);
    else this.#socket.emit(name, payload);
  }
}

/** `volatile` is dropped while the link is busy: what is due again soon anyway. */
type Delivery = "volatile" | "sure";
