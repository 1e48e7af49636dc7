import * as z from "zod";
import { Username } from "./containers.ts";

/** Where a backend opens the WebSocket of a stream: `<STREAMS_PATH>/<streamId>`, `Authorization: Bearer <token>`. */
export const STREAMS_PATH = "/streams";

const Tail = z.int().min(0).max(10_000);
const Side = z.int().min(1).max(1_000);

/** In characters. */
export const TerminalSize = z.object({ columns: Side, rows: Side });
export type TerminalSize = z.infer<typeof TerminalSize>;

/** What flows through a stream. */
export const StreamTarget = z.discriminatedUnion("kind", [
  /** What the instance's first process wrote, its last `tail` lines first. */
  z.object({ kind: z.literal("logs"), username: Username, tail: Tail, follow: z.boolean() }),
  /** An `InstanceStats` a second, one JSON line each. */
  z.object({ kind: z.literal("stats"), username: Username }),
  /** The backend's own log, one JSON line an event. */
  z.object({ kind: z.literal("backend-log"), tail: Tail, follow: z.boolean() }),
  /** A login shell on a terminal of its own. */
  z.object({ kind: z.literal("shell"), username: Username, ...TerminalSize.shape }),
  /** One connection to a port of the instance. */
  z.object({ kind: z.literal("tcp"), username: Username, port: z.literal([22, 80, 443]) }),
]);
export type StreamTarget = z.infer<typeof StreamTarget>;

export const OpenStream = z.object({
  streamId: z.guid("must be a UUID"),
  /** Opens that one WebSocket, once, within 30 s. */
  token: z.string().min(16).max(128),
  target: StreamTarget,
});
export type OpenStream = z.infer<typeof OpenStream>;

/**
 * What a viewer says of a stream, as text frames; bytes travel as binary ones. How far the viewer has come keeps what is
 * under way small: beyond `UNSEEN_BYTES_MAX` the backend waits.
 */
export const ViewerMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("seen"), bytes: z.int().min(0) }),
  z.object({ kind: z.literal("resize"), ...TerminalSize.shape }),
]);
export type ViewerMessage = z.infer<typeof ViewerMessage>;

/** Of every stream but `tcp`: so many bytes may be on their way to a viewer that has not seen them. */
export const UNSEEN_BYTES_MAX = 256 * 1024;

/** What an instance used of its machine. Sums count from the instance's start. */
export const InstanceStats = z.object({
  /** ISO 8601. */
  at: z.iso.datetime(),
  /** Of one processor, since the line before: 1.5 is one and a half. */
  cpus: z.number().nonnegative(),
  memoryBytes: z.int().nonnegative(),
  memoryLimitBytes: z.int().nonnegative(),
  networkReceivedBytes: z.int().nonnegative(),
  networkSentBytes: z.int().nonnegative(),
  diskReadBytes: z.int().nonnegative(),
  diskWrittenBytes: z.int().nonnegative(),
  processes: z.int().nonnegative(),
});
export type InstanceStats = z.infer<typeof InstanceStats>;

/** How a stream's WebSocket ends, beside the standard 1000 (it is over) and 1001 (one side is going down). */
export const STREAM_CLOSE = {
  /** Something failed; the reason says what. */
  failed: 4000,
  /** Nothing went through for too long. */
  idle: 4001,
} as const;
