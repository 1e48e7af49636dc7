import type { WebSocket } from "ws";
import { STREAM_CLOSE } from "@dockhost/protocol";

/** Of what waits for one side, in bytes: beyond it the other side waits. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** Who gives no sign of life from one ping to the next is gone, ms. */
const PING_MS = 20_000;

/** Joins two WebSockets: what comes from one goes to the other, no faster than it is taken. Resolves when both are closed. */
export async function joined(viewer: WebSocket, backend: WebSocket, idleMs: number): Promise<void> {
  let lastAt = performance.now();
  const heard = (): void => void (lastAt = performance.now());
  const ends = [viewer, backend] as const;
  const closed = Promise.all(ends.map(closing));
  forward(viewer, backend, heard);
  forward(backend, viewer, heard);
  const watch = setInterval(
    () => {
      if (performance.now() - lastAt < idleMs) return;
      for (const end of ends) end.close(STREAM_CLOSE.idle, "Nothing went through for too long.");
    },
    Math.min(PING_MS, idleMs),
  );
  const pings = ends.map(keepAlive);
  // Whoever has gone before both were there takes the other along.
  if (viewer.readyState === viewer.CLOSED) backend.close(1000);
  // Whoever was made to wait until then.
  for (const end of ends) end.resume();
  await closed;
  for (const timer of [watch, ...pings]) clearInterval(timer);
}

function forward(from: WebSocket, to: WebSocket, heard: () => void): void {
  from.on("message", (data: Buffer, isBinary: boolean) => {
    // Who has been told to go is heard no more, whether or not they go.
    if (from.readyState !== from.OPEN) return;
    heard();
    to.send(data, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount <= UNSENT_BYTES_MAX) from.resume();
    });
    if (to.bufferedAmount > UNSENT_BYTES_MAX) from.pause();
  });
  from.once("close", (code: number, reason: Buffer) => {
    to.close(sendable(code), reason);
    // Its own end is told even if it is not listened to at this moment.
    to.resume();
  });
}

function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let isAlive = true;
  socket.on("pong", () => (isAlive = true));
  return setInterval(() => {
    if (isAlive) socket.ping();
    else socket.terminate();
    isAlive = false;
  }, PING_MS);
}

const closing = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) resolve();
    socket.once("close", () => resolve());
  });

/** Codes from 1004 to 1006 and 1015 only say that there was none. */
const sendable = (code: number): number => ([1004, 1005, 1006, 1015].includes(code) ? 1011 : code);
