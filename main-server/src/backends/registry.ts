import { EventEmitter, once } from "node:events";
import type { BackendStatus } from "@dockhost/protocol";
import type { Connection } from "./connection.ts";

/**
 * Who is connected. Each backend has at most one connection here, its newest; the end of an older one changes nothing.
 */
export class Registry {
  readonly #connections = new Map<string, Connection>();
  readonly #arrivals = new EventEmitter().setMaxListeners(0);
  readonly #silenceMs: number;

  /** A backend whose status has not been heard for `silenceMs` is offline, connected or not. */
  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  add(connection: Connection): void {
    const older = this.#connections.get(connection.backendId);
    this.#connections.set(connection.backendId, connection);
    older?.makeWayFor(connection);
    this.#arrivals.emit(connection.backendId);
  }

  /** Whether it was the backend's current one. */
  remove(connection: Connection): boolean {
    return this.isCurrent(connection) && this.#connections.delete(connection.backendId);
  }

  heard(connection: Connection, status: BackendStatus): void {
    connection.status = status;
    connection.heardAt = performance.now();
    if (this.isCurrent(connection)) this.#arrivals.emit(connection.backendId);
  }

  isCurrent(connection: Connection): boolean {
    return this.#connections.get(connection.backendId) === connection;
  }

  /** The connection of a backend that is online. */
  online(backendId: string): Connection | undefined {
    const connection = this.#connections.get(backendId);
    return connection && performance.now() - connection.heardAt < this.#silenceMs ? connection : undefined;
  }

  statusOf(backendId: string): BackendStatus | undefined {
    return this.#connections.get(backendId)?.status;
  }

  /** The online connection, waited for; undefined after `timeoutMs` or once `signal` is aborted. */
  async waitFor(backendId: string, timeoutMs: number, signal: AbortSignal): Promise<Connection | undefined> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    while (!this.online(backendId)) {
      const arrived = once(this.#arrivals, backendId, { signal: limit });
      if (!(await arrived.then(() => true).catch(() => false))) return undefined;
    }
    return this.online(backendId);
  }

  endWithKey(keyId: string): void {
    for (const connection of this.#connections.values()) if (connection.keyId === keyId) connection.end();
  }

  breakOffAll(): void {
    for (const connection of this.#connections.values()) connection.breakOff();
  }

  endOf(backendId: string): void {
    this.#connections.get(backendId)?.end();
  }
}
