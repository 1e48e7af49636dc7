import type { CommandName, Ports } from "@dockhost/protocol";
import { DockHostError } from "./errors.ts";
import { failpoint } from "../observe/failpoints.ts";
import type { Gate } from "./gate.ts";
import { requestHash, type Entry, type OperationLog } from "./operation-log.ts";
import type { UserQueues } from "./user-queues.ts";

interface OfUser {
  username: string;
  operationId?: string | undefined;
}

interface Outcome {
  containerId: string | null;
  createdAt?: string;
  ports: Ports | null;
}

/** The frame of every command that changes something: recovery done, the user's turn come, no operation run twice. */
export class Operations {
  readonly #gate: Gate;
  readonly #queues: UserQueues;
  readonly #log: OperationLog;

  constructor(gate: Gate, queues: UserQueues, log: OperationLog) {
    this.#gate = gate;
    this.#queues = queues;
    this.#log = log;
  }

  /** Runs `work` with the request's hash, or answers `repeat` of an operation that has succeeded before. */
  async run<T extends Outcome>(
    command: CommandName,
    request: OfUser,
    context: { readonly isOver: boolean },
    work: (hash: string) => Promise<T>,
    repeat: (earlier: Entry) => Promise<T>,
  ): Promise<T> {
    // Outside the queue: recovery itself works in the users' queues.
    await this.#gate.pass();
    const { username, operationId } = request;
    const hash = requestHash(command, request);
    const inTurn = <R>(begin: () => Promise<R>): Promise<R> =>
      this.#queues.runCommand(username, () => {
        if (context.isOver) throw notBegun();
        return begin();
      });
    if (operationId === undefined) return inTurn(() => work(hash));
    return this.#log.exclusively(operationId, hash, () =>
      inTurn(async () => {
        const earlier = await this.#log.find(operationId, hash);
        if (earlier) return repeat(earlier);
        const outcome = await work(hash);
        const { containerId, createdAt, ports } = outcome;
        await this.#log.record({ operationId, command, requestHash: hash, containerId, createdAt, ports });
        failpoint("operation:recorded");
        return outcome;
      }),
    );
  }
}

/** Its sender has given up on it, and may have asked for something else since. */
const notBegun = (): DockHostError =>
  new DockHostError("DEADLINE_EXCEEDED", "Its turn came only after its deadline, so it was not begun.");
