import { STREAM_CLOSE, type StreamTarget, type TerminalSize } from "@dockhost/protocol";
import type { WebSocket } from "ws";
import type { BackendClient } from "../backends/backend-client.ts";
import type { StreamDoor } from "../backends/stream-door.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import type { User } from "./accounts.ts";
import type { Act, Audit } from "./audit.ts";
import { manages } from "./backends.ts";
import { ServiceError, type ErrorCode } from "./errors.ts";
import { whyNot } from "./outcomes.ts";
import { joined } from "./stream-pair.ts";

/** Of one user at a time. */
const MAX_OF_USER = 24;
/** A WebSocket's reason for its end has room for 123. */
const REASON_BYTES_MAX = 120;
/** Nothing either way for so long ends a stream, ms. */
const IDLE_MS = 60 * 60_000;

/** What a viewer was refused, rather than what failed. */
const REFUSALS: readonly ErrorCode[] = ["NOT_FOUND", "RATE_LIMITED", "CONFLICT"];

/** What a user wants to see, or to type into. */
export type StreamWish =
  | { kind: "logs"; instanceId: string; tail: number; follow: boolean }
  | { kind: "stats"; instanceId: string }
  | ({ kind: "shell"; instanceId: string } & TerminalSize)
  | { kind: "tcp"; instanceId: string; port: 22 | 80 | 443 }
  | BackendStreamWish;

/** What whoever manages a backend sees of it: its log, and what each of its containers uses. */
type BackendStreamWish =
  | { kind: "backend-log"; backendId: string; tail: number; follow: boolean }
  | { kind: "stats"; backendId: string; username: string };

interface StreamsParts {
  store: Store;
  client: BackendClient;
  door: StreamDoor;
  audit: Audit;
  log: Log;
}

/** Who looks, and from where. */
export interface Onlooker {
  user: User;
  address: string;
}

/** Brings users together with the bytes of what is theirs. */
export class Streams {
  readonly #parts: StreamsParts;
  readonly #viewers = new Map<string, Set<WebSocket>>();

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  /** Until either side has closed. What keeps it from flowing closes `viewer` with the reason. */
  async show(onlooker: Onlooker, wish: StreamWish, viewer: WebSocket): Promise<void> {
    const { user } = onlooker;
    viewer.pause();
    // What fails closes too.
    viewer.on("error", () => undefined);
    const viewers = this.#viewers.get(user.id) ?? new Set();
    this.#viewers.set(user.id, viewers.add(viewer));
    viewer.once("close", () => {
      viewers.delete(viewer);
      if (viewers.size === 0) this.#viewers.delete(user.id);
    });
    try {
      if (viewers.size > MAX_OF_USER) {
        throw new ServiceError("RATE_LIMITED", `You look at ${MAX_OF_USER} streams already; close some.`);
      }
      const backend = await this.#open(user, wish);
      this.#record(onlooker, wish, "done", null);
      await joined(viewer, backend, IDLE_MS);
    } catch (error) {
      viewer.resume();
      const reason = this.#reason(error);
      this.#record(onlooker, wish, outcomeOf(error), reason);
      viewer.close(STREAM_CLOSE.failed, shortened(reason));
    }
  }

  async #open(user: User, wish: StreamWish): Promise<WebSocket> {
    const { client, door } = this.#parts;
    const { backendId, target } = await this.#find(user, wish);
    const expectation = door.expect();
    const { streamId, token, arrived } = expectation;
    const outcome = await client.send(backendId, "open-stream", { streamId, token, target });
    if (outcome.kind !== "reply" || !outcome.reply.success) {
      door.forget(expectation);
      // It may have come, and only its reply not.
      void arrived.then((socket) => socket?.terminate());
      throw whyNot(outcome);
    }
    const socket = await arrived;
    if (socket) return socket;
    throw new ServiceError("BACKEND_FAULT", "The backend has not opened the stream; try again.");
  }

  /** What is another's is to them as if it were not there. */
  async #find(user: User, wish: StreamWish): Promise<{ backendId: string; target: StreamTarget }> {
    const { backends, instances } = this.#parts.store;
    if ("backendId" in wish) {
      const { backendId, ...target } = wish;
      const backend = await backends.get(backendId);
      if (backend && manages(user, backend)) return { backendId, target };
      throw new ServiceError("NOT_FOUND", "There is no such backend.");
    }
    const { instanceId, ...target } = wish;
    const record = await instances.get(instanceId);
    if (record?.userId !== user.id) throw new ServiceError("NOT_FOUND", "There is no such instance.");
    const { backendId, username } = record;
    return { backendId, target: { ...target, username } };
  }

  /** A shell can do anything there; the other streams are only looked at. */
  #record({ user, address }: Onlooker, wish: StreamWish, outcome: Act["outcome"], detail: string | null): void {
    if (wish.kind !== "shell") return;
    this.#parts.audit.record({ action: "shell.opened", subject: wish.instanceId, user, address, outcome, detail });
  }

  #reason(error: unknown): string {
    if (error instanceof ServiceError) return error.message;
    this.#parts.log.error({ err: error }, "A stream could not be shown.");
    return "The main server has failed; its log says how.";
  }
}

const outcomeOf = (error: unknown): Act["outcome"] =>
  error instanceof ServiceError && REFUSALS.includes(error.code) ? "refused" : "failed";

/** Whole characters alone. */
const shortened = (reason: string): string =>
  Buffer.from(reason)
    .subarray(0, REASON_BYTES_MAX)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
