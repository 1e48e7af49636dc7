import type { CommandName, Ports } from "@dockhost/protocol";
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
    work: (hash: string) => Promise<T>,
    repeat: (earlier: Entry) => Promise<T>,
  ): Promise<T> {
    // Outside the queue: recovery itself works in the users' queues.
    await this.#gate.pass();
    const { username, operationId } = request;
    const hash = requestHash(command, request);
    if (operationId === undefined) return this.#queues.runCommand(username, () => work(hash));
    return this.#log.exclusively(operationId, hash, () =>
      this.#queues.runCommand(username, async () => {
        const earlier = this.#log.find(operationId);
        if (earlier) return repeat(earlier);
        const outcome = await work(hash);
        const { containerId, ports } = outcome;
        await this.#log.record({ operationId, command, requestHash: hash, containerId, ports });
        failpoint("operation:recorded");
        return outcome;
      }),
    );
  }
}
