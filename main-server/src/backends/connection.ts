import { REPORTS, SUPERSEDED_EVENT, type BackendStatus, type ReportName } from "@dockhost/protocol";
import type { Socket } from "socket.io";

/** Whose connection it is, as its key has proved. */
export interface BackendIdentity {
  backendId: string;
  keyId: string;
}

/** What became of one emitted command. */
export type Answer = { kind: "answered"; reply: unknown } | { kind: "timeout" } | { kind: "lost" };

/** What a report was not, when it was ignored. */
export interface BadReport {
  name: ReportName;
  problem: string;
}

/** One authenticated socket of a backend. */
export class Connection {
  readonly backendId: string;
  readonly keyId: string;
  readonly agentId: string | undefined;
  readonly remoteAddress: string;
  readonly connectedAt = performance.now();
  /** The last valid status, and when it came, by the monotonic clock. */
  status: BackendStatus | undefined;
  heardAt = this.connectedAt;
  readonly #socket: Socket;
  readonly #awaited = new Set<(answer: Answer) => void>();

  constructor(socket: Socket, { backendId, keyId }: BackendIdentity, agentId: string | undefined) {
    this.#socket = socket;
    this.backendId = backendId;
    this.keyId = keyId;
    this.agentId = agentId;
    this.remoteAddress = socket.handshake.address;
    socket.once("disconnect", () => {
      for (const settle of this.#awaited) settle({ kind: "lost" });
    });
  }

  /** Sends a command; the answer is not validated. Never rejects. */
  request(command: string, payload: unknown, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        this.#awaited.delete(settle);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ kind: "timeout" }), timeoutMs);
      if (!this.#socket.connected) {
        settle({ kind: "lost" });
        return;
      }
      this.#awaited.add(settle);
      this.#socket.emit(command, payload, (reply: unknown) => settle({ kind: "answered", reply }));
    });
  }

  /** Calls `listen` for each valid report, `reject` for each other. */
  onReports(listen: (name: ReportName, report: unknown) => void, reject: (bad: BadReport) => void): void {
    for (const name of Object.keys(REPORTS) as ReportName[]) {
      this.#socket.on(name, (payload: unknown) => {
        const result = REPORTS[name].safeParse(payload);
        if (result.success) listen(name, result.data);
        else reject({ name, problem: result.error.issues[0]?.message ?? "invalid" });
      });
    }
  }

  /** What `mayTell` refuses ends the connection unread: whoever means well connects again and tells the whole truth. */
  limitReports(mayTell: (event: unknown) => boolean, refused: () => void): void {
    this.#socket.use(([event], next) => {
      if (mayTell(event)) {
        next();
        return;
      }
      if (this.#socket.connected) refused();
      this.breakOff();
    });
  }

  onEnd(listen: (reason: string) => void): void {
    this.#socket.on("disconnect", listen);
  }

  /** Makes way for `newer`; another agent is told not to come back. */
  makeWayFor(newer: Connection): void {
    if (newer.agentId !== this.agentId) this.#socket.emit(SUPERSEDED_EVENT);
    this.end();
  }

  end(): void {
    this.#socket.disconnect(true);
  }

  /** To its far end the network failed: it connects again, and tells everything anew. */
  breakOff(): void {
    this.#socket.conn.close();
  }
}
