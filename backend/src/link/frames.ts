import { Agent as HttpAgent, type ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { NodeWebSocket, NodeXHR } from "socket.io-client";

/** Of one Socket.IO packet towards a backend. */
const MAX_FRAME_BYTES = 64 * 1024;
/** Of one answer to a poll: all that waited, which is kept whole before its frames can be judged. */
const MAX_POLL_BYTES = 4 * 1024 * 1024;

/** A packet without attachments, and no refusal without words: Socket.IO throws at those, where nobody can catch it. */
const PACKET = /^(?:[0-3]|4\{)/;

/** Why a frame of the main server's ended the connection, in one sentence. */
export class FrameError extends Error {}

class WebSocketTransport extends NodeWebSocket {
  protected override onPacket(packet: EnginePacket): void {
    const fault = faultOf(packet, () => super.onPacket(packet));
    if (fault) this.onError("unfit frame", fault);
  }

  /** What is longer than `maxPayload`, ws ends while it arrives. */
  protected override onError(reason: string, description: unknown, context?: unknown): this {
    const { error } = (description ?? {}) as { error?: { code?: unknown } };
    const fault = error?.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ? tooLong() : description;
    return super.onError(reason, fault, context);
  }
}

class PollingTransport extends NodeXHR {
  protected override onPacket(packet: EnginePacket): void {
    const fault = faultOf(packet, () => super.onPacket(packet));
    if (fault) this.onError("unfit frame", fault);
  }
}

class PollingAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs): Duplex | null | undefined {
    return bounded(super.createConnection(options));
  }
}

class SecurePollingAgent extends HttpsAgent {
  override createConnection(options: RequestOptions): Duplex | null | undefined {
    return bounded(super.createConnection(options));
  }
}

/** Neither agent keeps a connection alive, so each serves one poll. */
function bounded(connection: Duplex | null | undefined): Duplex | null | undefined {
  let received = 0;
  return connection?.on("data", ({ length }: Buffer) => {
    received += length;
    if (received > MAX_POLL_BYTES) connection.destroy(tooLong());
  });
}

/**
 * Options of a Socket.IO client whose frames are judged before anything of them is parsed: what is too long, carries
 * bytes, or would throw where nobody catches it, ends the connection by the transport's own error, and no process.
 */
export const frameGuards = (url: string) => ({
  // A WebSocket at once; long polling only where a proxy refuses it.
  transports: [WebSocketTransport, PollingTransport],
  transportOptions: {
    // Engine.IO's own packet type stands before each packet.
    websocket: { maxPayload: MAX_FRAME_BYTES + 1 },
    polling: { agent: url.startsWith("https:") ? new SecurePollingAgent() : new PollingAgent() },
  },
});

interface EnginePacket {
  type: "open" | "close" | "ping" | "pong" | "message" | "upgrade" | "noop" | "error";
  data?: string | object;
}

/** Hands a packet on unless it is unfit; what is wrong with it otherwise. */
function faultOf({ type, data = "" }: EnginePacket, handOn: () => void): FrameError | undefined {
  try {
    if (type === "message") {
      if (typeof data === "object") return new FrameError("The main server sent a binary frame");
      if (Buffer.byteLength(data) > MAX_FRAME_BYTES) return tooLong();
      if (!PACKET.test(data)) return garbage();
    }
    handOn();
    return undefined;
  } catch {
    return garbage();
  }
}

const tooLong = (): FrameError => new FrameError("The main server sent a frame of more than 64 KiB");
const garbage = (): FrameError => new FrameError("The main server sent what is no Socket.IO packet for a backend");
