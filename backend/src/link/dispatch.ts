import type { Socket } from "socket.io-client";
import {
  COMMANDS,
  COMMAND_NAMES,
  COMMAND_RESULT_EVENT,
  type CommandName,
  type CommandRequest,
  type Failure,
  type Reply,
} from "@dockhost/protocol";
import type { z } from "zod";
import type { Containers } from "../containers/containers.ts";
import type { OperationContext } from "../containers/creation.ts";
import { DockHostError, toDockHostError, toFailure } from "../containers/errors.ts";
import type { Log } from "../observe/log.ts";
import { steps } from "../observe/steps.ts";
import { COMMAND_TABLE } from "./commands.ts";
import { Deadline } from "./deadline.ts";
import { RateLimit, type Rate } from "./rate-limit.ts";
import type { Reports } from "./reports.ts";

const step = steps("link");

type Acknowledge = (reply: unknown) => void;

/**
 * The one door for commands: what comes in is validated, runs under its deadline, and its reply is validated too before
 * it leaves. Whatever arrives, the sender gets a coded reply and the process goes on.
 */
export class Dispatch {
  readonly #containers: Containers;
  readonly #reports: Reports;
  readonly #log: Log;
  readonly #rate: Rate | undefined;
  readonly #serving = new Set<Promise<void>>();
  #limit: RateLimit;
  #closing = false;

  /** `rate` is the contract's where it is not given. */
  constructor(containers: Containers, reports: Reports, log: Log, rate?: Rate) {
    this.#containers = containers;
    this.#reports = reports;
    this.#log = log;
    this.#rate = rate;
    this.#limit = new RateLimit(rate);
  }

  attach(socket: Socket): void {
    socket.on("connect", () => (this.#limit = new RateLimit(this.#rate)));
    for (const command of COMMAND_NAMES) {
      socket.on(command, (...args: unknown[]) => this.#track(this.#serve(socket, command, args)));
    }
  }

  /** From now on every command is refused; those under way get their replies. */
  close(): void {
    this.#closing = true;
  }

  /** Resolves when every command that has come has its reply on the way. */
  async replied(): Promise<void> {
    await Promise.all(this.#serving);
  }

  #track(serving: Promise<void>): void {
    this.#serving.add(serving);
    void serving.finally(() => this.#serving.delete(serving));
  }

  async #serve(socket: Socket, command: CommandName, args: readonly unknown[]): Promise<void> {
    const connection = socket.id;
    const [payload, acknowledge] = payloadAndCallback(args);
    const reply = await step.time(command, () => this.#run(command, payload));
    // The number of its acknowledgement may mean another call on a new connection; the retry fetches the reply.
    if (!socket.connected || socket.id !== connection) return;
    if (acknowledge) acknowledge(reply);
    else socket.emit(COMMAND_RESULT_EVENT, { command, operationId: operationIdIn(payload), ...reply });
  }

  async #run<Name extends CommandName>(command: Name, payload: unknown): Promise<Reply<Name>> {
    // Before anything is read of it, and without a line each: a flood is not to flood the log.
    if (!this.#limit.take()) return toFailure(tooMany());
    try {
      if (this.#closing) throw new DockHostError("DRAINING", "This backend is shutting down; try again shortly.");
      return await this.#execute(command, parseRequest(command, payload));
    } catch (error) {
      return this.#failure(command, payload, error);
    }
  }

  async #execute<Name extends CommandName>(command: Name, request: CommandRequest<Name>): Promise<Reply<Name>> {
    const { deadlineMs, run, done } = COMMAND_TABLE[command];
    using deadline = new Deadline(deadlineMs);
    const operation = { username: usernameIn(request), operationId: operationIdIn(request) };
    const context: OperationContext = {
      progress: (phase, bytes) => this.#reports.progress(operation, phase, bytes),
      outsideDeadline: (work) => deadline.suspendDuring(work),
    };
    const result = run(this.#containers, request, context);
    const data = COMMANDS[command].data.parse(await Promise.race([result, deadline.expired])) as Awaited<typeof result>;
    if (command !== "list-containers") this.#reports.statusChanged();
    return { success: true, message: done(data), data };
  }

  #failure(command: CommandName, payload: unknown, error: unknown): Failure {
    const { code, message } = toDockHostError(error);
    const fields = { code, username: usernameIn(payload), operationId: operationIdIn(payload) };
    // The caller's own mistakes are no fault of this machine.
    if (code === "INTERNAL") this.#log.error({ ...fields, error }, `${COMMAND_TABLE[command].failed}: ${message}`);
    else this.#log.warn(fields, `${COMMAND_TABLE[command].failed}: ${message}`);
    return toFailure(error);
  }
}

const tooMany = (): DockHostError =>
  new DockHostError(
    "RATE_LIMITED",
    "The main server sends more commands than one backend takes; try again in a second.",
  );

/** A payload may be missing altogether: the first argument is the callback then. */
function payloadAndCallback(args: readonly unknown[]): [unknown, Acknowledge | undefined] {
  const last = args.at(-1);
  const acknowledge = typeof last === "function" ? (last as Acknowledge) : undefined;
  return [args[0] === last && acknowledge ? undefined : args[0], acknowledge];
}

function parseRequest<Name extends CommandName>(command: Name, payload: unknown): CommandRequest<Name> {
  const parsed = COMMANDS[command].request.safeParse(payload ?? emptyPayload(command));
  if (parsed.success) return parsed.data as CommandRequest<Name>;
  throw new DockHostError("INVALID_ARGUMENT", sentence(parsed.error.issues));
}

/** Only the list of everything needs no word. */
const emptyPayload = (command: CommandName): unknown => (command === "list-containers" ? {} : undefined);

function sentence(issues: readonly z.core.$ZodIssue[]): string {
  const faults = issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  return `The request is not valid: ${faults.join("; ")}.`;
}

const operationIdIn = (payload: unknown): string | undefined => stringIn(payload, "operationId", 64);
const usernameIn = (payload: unknown): string | undefined => stringIn(payload, "username", 64);

function stringIn(payload: unknown, name: string, maxLength: number): string | undefined {
  if (payload === null || typeof payload !== "object") return undefined;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === "string" && value.length <= maxLength ? value : undefined;
}
