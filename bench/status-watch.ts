import type { Socket } from "socket.io";
import { BackendStatus, type ReportName } from "../protocol/src/index.ts";

const STATUS: ReportName = "backend-status";
/** The contract's: a status comes at least this often, ms. */
const HEARTBEAT_MS = 10_000;

/** A status as it came. */
interface Seen {
  at: number;
  warmSlots: number | undefined;
}

/** When the backend told of itself, and how many slots it then had ready. */
export class StatusWatch {
  readonly #arrivals: number[] = [];
  #latest: Seen | undefined;

  constructor(socket: Socket) {
    socket.on(STATUS, (payload: unknown) => this.#take(payload, performance.now()));
  }

  get latest(): Seen | undefined {
    return this.#latest;
  }

  /** How much longer than a heartbeat may take nothing was heard between the two moments, ms. */
  latenessBetween(begin: number, end: number): number {
    return lateness(this.#arrivals, begin, end);
  }

  #take(payload: unknown, at: number): void {
    const { usage } = BackendStatus.parse(payload);
    this.#arrivals.push(at);
    this.#latest = { at, warmSlots: usage.warmSlots };
  }
}

/** The longest silence between `begin` and `end`, beyond what a heartbeat may take. */
export function lateness(arrivals: readonly number[], begin: number, end: number): number {
  const heard = [begin, ...arrivals.filter((at) => at > begin && at < end), end];
  const silences = heard.slice(1).map((at, index) => at - (heard[index] ?? at));
  return Math.max(0, Math.max(...silences) - HEARTBEAT_MS);
}
