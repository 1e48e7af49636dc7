import type { TerminalSize, ViewerMessage } from "@dockhost/protocol";
import { stateAfter, type StreamState } from "./stream-state.ts";

/** The main server takes 64 KiB a frame. */
const FRAME_BYTES_MAX = 32 * 1024;
/** What has stood so long has worked, even where nothing came. */
const STEADY_MS = 10_000;

export interface StreamListener {
  onState(state: StreamState): void;
  /** A new connection: what comes begins anew. */
  onOpen(): void;
  /** The sender stays at most 256 KiB ahead of what `seen` has been called for; call it once these bytes are shown. */
  onBytes(bytes: Uint8Array<ArrayBuffer>, seen: () => void): void;
}

/** One view's bytes, over one WebSocket at a time to a path of this page's own origin. Dials again when it is cut off. */
export class ByteStream {
  /** With its query; asked at each dial. */
  readonly #path: () => string;
  readonly #listener: StreamListener;
  #socket: WebSocket | undefined;
  #retries = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(path: () => string, listener: StreamListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Begins, or begins anew, at once. */
  dial(): void {
    this.#retries = 0;
    this.#connect();
  }

  /** Goes nowhere while it is not connected. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
      if (this.#isOpen(this.#socket)) this.#socket.send(bytes.subarray(at, at + FRAME_BYTES_MAX));
    }
  }

  resize(size: TerminalSize): void {
    this.#tell(this.#socket, { kind: "resize", ...size });
  }

  /** For good; the listener hears no more. */
  close(): void {
    clearTimeout(this.#again);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #connect(): void {
    this.close();
    this.#listener.onState({ kind: "connecting" });
    const socket = new WebSocket(socketUrl(this.#path()));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const unlessReplaced = (act: () => void): void => {
      if (socket === this.#socket) act();
    };
    let steady: ReturnType<typeof setTimeout> | undefined;
    socket.onopen = () =>
      unlessReplaced(() => {
        steady = setTimeout(() => unlessReplaced(() => (this.#retries = 0)), STEADY_MS);
        this.#listener.onOpen();
        this.#listener.onState({ kind: "connected" });
      });
    const receive = this.#receiver(socket);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) unlessReplaced(() => receive(new Uint8Array(data)));
    };
    socket.onclose = ({ code, reason }) => {
      clearTimeout(steady);
      unlessReplaced(() => this.#lose(code, reason));
    };
  }

  /** Counts for one connection alone: what is shown late of an earlier one is nothing to this. */
  #receiver(socket: WebSocket): (bytes: Uint8Array<ArrayBuffer>) => void {
    let seenBytes = 0;
    return (bytes) => {
      this.#retries = 0;
      this.#listener.onBytes(bytes, () => {
        seenBytes += bytes.length;
        this.#tell(socket, { kind: "seen", bytes: seenBytes });
      });
    };
  }

  #lose(code: number, reason: string): void {
    this.#socket = undefined;
    const state = stateAfter({ code, reason, retries: this.#retries });
    if (state.kind === "lost") {
      this.#retries += 1;
      this.#again = setTimeout(() => this.#connect(), state.waitMs);
    }
    this.#listener.onState(state);
  }

  #tell(socket: WebSocket | undefined, message: ViewerMessage): void {
    if (this.#isOpen(socket)) socket.send(JSON.stringify(message));
  }

  #isOpen(socket: WebSocket | undefined): socket is WebSocket {
    return socket?.readyState === WebSocket.OPEN;
  }
}

function socketUrl(path: string): URL {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
