import { setImmediate as turn } from "node:timers/promises";
import type { Socket } from "socket.io-client";
import { COMMANDS, type CommandName, type Failure, type Reply } from "@dockhost/protocol";
import { DockHostError, toDockHostError, toFailure } from "../containers/errors.ts";
import type { Log } from "../observe/log.ts";
import { steps } from "../observe/steps.ts";
import { COMMAND_TABLE, type CommandContext, type Serving } from "./commands.ts";
import { contractDialect } from "./contract-dialect.ts";
import { Deadline } from "./deadline.ts";
import type { Order, Reading } from "./dialect.ts";
import { RateLimit, type Rate } from "./rate-limit.ts";
import type { Reports } from "./reports.ts";
import { v2Dialect } from "./v2-dialect.ts";

const step = steps("link");

type Acknowledge = (reply: unknown) => void;

/**
 * The one door for commands, in either dialect: what comes in is validated, runs under its deadline, and its reply is
 * validated too before it leaves. Whatever arrives, there is a coded reply to it and the process goes on.
 */
export class Dispatch {
  readonly #serving: Serving;
  readonly #reports: Reports;
  readonly #log: Log;
  readonly #rate: Rate | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #limit: RateLimit;
  #closing = false;

  /** `rate` is the contract's where it is not given. */
  constructor(serving: Serving, reports: Reports, log: Log, rate?: Rate) {
    this.#serving = serving;
    this.#reports = reports;
    this.#log = log;
    this.#rate = rate;
    this.#limit = new RateLimit(rate);
  }

  attach(socket: Socket): void {
    socket.on("connect", () => (this.#limit = new RateLimit(this.#rate)));
    const emit = (event: string, message: unknown): void => void socket.emit(event, message);
    for (const dialect of [contractDialect, v2Dialect]) {
      for (const event of dialect.events) {
        socket.on(event, (...args: unknown[]) => {
          const [payload, acknowledge] = payloadAndCallback(args);
          this.#track(this.#serve(socket, dialect.order(event, payload, { emit, acknowledge })));
        });
      }
    }
  }

  /** From now on every command is refused; those under way get their replies. */
  close(): void {
    this.#closing = true;
  }

  /** Resolves when every command that has come has its reply on the way. */
  async replied(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #track(serving: Promise<void>): void {
    this.#underWay.add(serving);
    void serving.finally(() => this.#underWay.delete(serving));
  }

  async #serve(socket: Socket, order: Order): Promise<void> {
    const connection = socket.id;
    const reply = await step.time(order.command, () => this.#run(order));
    // Progress is told a turn after it was made, and before the reply.
    await turn();
    // The number of its acknowledgement may mean another call on a new connection; the retry fetches the reply.
    if (socket.connected && socket.id === connection) order.answer(reply);
  }

  async #run<Name extends CommandName>(order: Order<Name>): Promise<Reply<Name>> {
    // Before anything is read of it, and without a line each: a flood is not to flood the log.
    if (!this.#limit.take()) return toFailure(tooMany());
    try {
      if (this.#closing) throw new DockHostError("DRAINING", "This backend is shutting down; try again shortly.");
      return await this.#execute(order, order.read());
    } catch (error) {
      return this.#failure(order, error);
    }
  }

  async #execute<Name extends CommandName>(order: Order<Name>, reading: Reading<Name>): Promise<Reply<Name>> {
    const { command } = order;
    const { deadlineMs, run, done } = COMMAND_TABLE[command];
    using deadline = new Deadline(deadlineMs);
    const context: CommandContext = {
      portsFrom: reading.portsFrom,
      get isOver() {
        return deadline.isOver;
      },
      // A turn later: what it tells of is begun first.
      progress: (phase, bytes) => void turn().then(() => this.#reports.progress(order, phase, bytes)),
      outsideDeadline: (work) => deadline.suspendDuring(work),
    };
    const result = run(this.#serving, reading.request, context);
    const data = COMMANDS[command].data.parse(await Promise.race([result, deadline.expired])) as Awaited<typeof result>;
    if (!LOOKING.has(command)) this.#reports.statusChanged();
    return { success: true, message: done(data), data };
  }

  #failure({ command, username, operationId }: Order, error: unknown): Failure {
    const { code, message } = toDockHostError(error);
    const fields = { code, username, operationId };
    // The caller's own mistakes are no fault of this machine.
    if (code === "INTERNAL") this.#log.error({ ...fields, error }, `${COMMAND_TABLE[command].failed}: ${message}`);
    else this.#log.warn(fields, `${COMMAND_TABLE[command].failed}: ${message}`);
    return toFailure(error);
  }
}

/** Commands after which nothing is otherwise than before. */
const LOOKING: ReadonlySet<CommandName> = new Set<CommandName>(["list-containers", "open-stream"]);

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
