import type { IncomingMessage } from "node:http";

/** Between two admissions, ms: what one costs until its inventory is worked off, and as much again for everyone else. */
const PAUSE_MS = 5;
/** More would wait for longer than a client waits for an answer, 20 s. */
const MOST_WAITING = 1_500;

export interface AdmissionOptions {
  /** Whether those that were let in still keep the house busy. */
  isBusy: () => boolean;
  pauseMs?: number;
  mostWaiting?: number;
}

interface Waiting {
  request: IncomingMessage;
  allow: (admitted: boolean) => void;
}

/**
 * Lets new connections in one after another, in the order they came, so that thousands that lost one server do not keep
 * it from serving when they all return. The others are held before their handshake, where they cost next to nothing;
 * beyond a number of them they are refused, and try again later. What is held is never any client's to decide: whoever
 * is let in and then says nothing holds nobody up.
 */
export class Admission implements Disposable {
  readonly #isBusy: () => boolean;
  readonly #pauseMs: number;
  readonly #mostWaiting: number;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #lastAt = -Infinity;
  #closed = false;

  constructor({ isBusy, pauseMs = PAUSE_MS, mostWaiting = MOST_WAITING }: AdmissionOptions) {
    this.#isBusy = isBusy;
    this.#pauseMs = pauseMs;
    this.#mostWaiting = mostWaiting;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `allow` when it is the turn of `request`, or at once where too many wait; never where it is given up before. */
  ask(request: IncomingMessage, allow: (admitted: boolean) => void): void {
    if (this.#closed || this.#waiting.size >= this.#mostWaiting) {
      allow(false);
      return;
    }
    this.#hold(request, allow);
    const sinceLast = performance.now() - this.#lastAt;
    this.#timer ??= setTimeout(() => this.#next(), Math.max(0, this.#pauseMs - sinceLast));
  }

  /** Nobody is let in any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { allow } of this.#waiting) allow(false);
  }

  /** A socket that fails while nobody else listens to it would end the process. */
  #hold(request: IncomingMessage, allow: (admitted: boolean) => void): void {
    const { socket } = request;
    const leave = () => {
      this.#waiting.delete(waiting);
      socket.off("error", ignore).off("close", leave);
    };
    const waiting: Waiting = {
      request,
      allow: (admitted) => {
        leave();
        allow(admitted);
      },
    };
    socket.on("error", ignore).once("close", leave);
    this.#waiting.add(waiting);
  }

  #next(): void {
    this.#timer = undefined;
    const [first] = this.#waiting;
    if (!first) return;
    if (!this.#isBusy()) {
      this.#lastAt = performance.now();
      first.allow(true);
    }
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#next(), this.#pauseMs);
  }
}

function ignore(): void {
  // The socket closes after its error, and is forgotten then.
}
