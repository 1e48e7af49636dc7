import type { Fault } from "../faults/ledger-faults.ts";
import type { Excuses } from "./excuses.ts";
import { after, NOTHING, type Operation, type Outcome, type Possible } from "./histories.ts";
import { Ruin } from "./ruin.ts";

export const USERS = ["ada", "bob", "cyd", "dee"] as const;
export const KEYS = ["red", "green", "blue"] as const;

/** What one user was promised. */
export interface Promised {
  possible: readonly Possible[];
  /** The newest operation, and whether its end is known. */
  last: { operation: Operation; inDoubt: boolean } | undefined;
  /** An operation whose reply was lost may be under way still. */
  isUnsettled: boolean;
}

/** What should be true after what was said so far; nothing of it was read from the machine. */
export class Model {
  readonly users = new Map<string, Promised>(
    USERS.map((name) => [name, { possible: NOTHING, last: undefined, isUnsettled: false }]),
  );
  /** Creates into whose container its operationId was written, as the file `mark`. */
  readonly marked = new Set<string>();
  readonly faults: Fault[] = [];
  steps = 0;

  of(username: string): Promised {
    const promised = this.users.get(username);
    if (!promised) throw new Error(`nobody is called ${username}`);
    return promised;
  }

  /** Takes note of what was replied to one user's operations, which ran in an order that nobody knows. */
  learn(
    username: string,
    replied: readonly (readonly [Operation, Outcome])[],
    excuses: Pick<Excuses, "mayMove">,
  ): void {
    const promised = this.of(username);
    const possible = after(promised.possible, replied, excuses.mayMove);
    if (possible.length === 0) throw broken(username, promised.possible, replied);
    promised.possible = possible;
    const sent = replied.filter(([, { kind }]) => kind !== "not sent");
    const newest = sent.at(-1);
    // What was not sent tells nothing of what was sent before it.
    if (!newest) return;
    promised.isUnsettled = sent.some(([, { kind }]) => kind === "in doubt");
    promised.last = { operation: newest[0], inDoubt: newest[1].kind === "in doubt" };
  }

  /** A person did something, and this is what there may be now. */
  suppose(username: string, possible: readonly Possible[]): void {
    if (possible.length === 0) throw new Ruin("lost", `${username}'s container was promised and is not there`);
    this.of(username).possible = possible;
  }
}

function broken(
  username: string,
  before: readonly Possible[],
  replied: readonly (readonly [Operation, Outcome])[],
): Ruin {
  const lost = replied.some(([, outcome]) => outcome.kind === "refused" && outcome.code === "NOT_FOUND");
  const words = [
    `no order of ${username}'s commands explains these replies:`,
    ...replied.map(([{ change, operationId }, outcome]) => `${change} ${operationId}: ${JSON.stringify(outcome)}`),
    `before it had, or may have had: ${JSON.stringify(before)}`,
  ];
  return new Ruin(lost ? "lost" : "duplicated", words.join("\n"));
}
