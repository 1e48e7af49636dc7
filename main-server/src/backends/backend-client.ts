import { parseReply, type CommandInput, type CommandName, type Reply } from "@dockhost/protocol";
import { z, ZodError } from "zod";
import type { Log } from "../observe/log.ts";
import type { Registry } from "./registry.ts";

/** What became of a command. Only a `reply` says what the backend did. */
export type Outcome<Name extends CommandName> =
  | { kind: "reply"; reply: Reply<Name> }
  /** Not connected, or gone for too long; `sent` tells whether it may have been carried out. */
  | { kind: "offline"; sent: boolean }
  | { kind: "timeout" }
  /** The reply breaks the contract. */
  | { kind: "fault" }
  /** This server is closing. */
  | { kind: "closing" };

export interface Patience {
  /** How long a backend may be away in the middle of a command. */
  readonly reconnectMs: number;
  /** How long a command may take. A create may pull an image. */
  readonly createMs: number;
  readonly commandMs: number;
  readonly listMs: number;
}

/** Sends commands. A lost connection is waited for and the same command sent again, which its operationId makes safe. */
export class BackendClient {
  readonly #registry: Registry;
  readonly #patience: Patience;
  readonly #log: Log;
  readonly #closing = new AbortController();

  constructor(registry: Registry, patience: Patience, log: Log) {
    this.#registry = registry;
    this.#patience = patience;
    this.#log = log;
  }

  /** Never rejects. */
  async send<Name extends CommandName>(
    backendId: string,
    command: Name,
    request: CommandInput<Name>,
  ): Promise<Outcome<Name>> {
    const deadline = performance.now() + this.#timeoutOf(command);
    for (let sent = false; !this.#isClosing(); sent = true) {
      const connection = await this.#connectionTo(backendId, sent);
      if (!connection) return this.#isClosing() ? { kind: "closing" } : { kind: "offline", sent };
      const answer = await connection.request(command, request, Math.max(0, deadline - performance.now()));
      if (answer.kind === "timeout") return answer;
      if (answer.kind === "answered") return this.#validate(backendId, command, answer.reply);
    }
    return { kind: "closing" };
  }

  /** Where the backend says that new containers get their ports; undefined where it does not say. */
  portRangeOf(backendId: string): { first: number; last: number } | undefined {
    return this.#registry.statusOf(backendId)?.capacity.portRange;
  }

  /** Ends every wait; what is under way on a backend goes on there, and its record is settled later. */
  close(): void {
    this.#closing.abort();
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #connectionTo(backendId: string, sent: boolean) {
    if (!sent) return this.#registry.online(backendId);
    return this.#registry.waitFor(backendId, this.#patience.reconnectMs, this.#closing.signal);
  }

  #timeoutOf(command: CommandName): number {
    if (command === "create-container") return this.#patience.createMs;
    return command === "list-containers" ? this.#patience.listMs : this.#patience.commandMs;
  }

  #validate<Name extends CommandName>(backendId: string, command: Name, reply: unknown): Outcome<Name> {
    try {
      return { kind: "reply", reply: parseReply(command, reply) };
    } catch (error) {
      const problem = error instanceof ZodError ? z.prettifyError(error) : String(error);
      this.#log.warn({ backendId, command, problem }, "A backend's reply breaks the contract.");
      return { kind: "fault" };
    }
  }
}
