import type { STREAM_CLOSE } from "@dockhost/protocol";

/** Where a view's stream stands. */
export type StreamState =
  | { kind: "connecting" }
  | { kind: "connected" }
  /** It is dialled again after `waitMs`. */
  | { kind: "lost"; reason: string; waitMs: number }
  /** It stays so until it is asked for again. */
  | { kind: "ended"; reason: string; failed: boolean };

/** Of a WebSocket. */
interface Closing {
  code: number;
  reason: string;
  /** How often it has been dialled again unasked since anything came. */
  retries: number;
}

const OVER = 1000;
// Checked against the protocol by their types; its schemas would come along into the page otherwise.
const FAILED: (typeof STREAM_CLOSE)["failed"] = 4000;
const IDLE: (typeof STREAM_CLOSE)["idle"] = 4001;

const FIRST_WAIT_MS = 1_000;
const WAIT_MS_MAX = 30_000;
/** Some forty seconds: as long as a backend may take to come back after a restart. */
const FAILED_RETRIES_MAX = 6;

/** What a close means. What was cut off comes back by itself, with growing waits; what has ended or failed does not. */
export function stateAfter({ code, reason, retries }: Closing, chance = Math.random()): StreamState {
  if (code === OVER || code === IDLE) return { kind: "ended", reason, failed: false };
  // After a cut the main server may be back before the backend is: then it is not there yet, which is no answer.
  const isAwaited = retries > 0 && retries <= FAILED_RETRIES_MAX;
  if (code === FAILED && !isAwaited) return { kind: "ended", reason, failed: true };
  return { kind: "lost", reason: reason || "The connection was lost.", waitMs: waitMs(retries, chance) };
}

/** Apart from each other, so that all the viewers of a server do not come back at once. */
const waitMs = (retries: number, chance: number): number =>
  Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** retries) * (0.75 + chance / 2);
