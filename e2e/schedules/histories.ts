import type { ErrorCode } from "@dockhost/protocol";

export const CHANGES = [
  "create-container",
  "start-container",
  "stop-container",
  "delete-container",
  "set-ssh-keys",
] as const;
export type Change = (typeof CHANGES)[number];

/** A change that a user asks for; a retry is the same operation once more. */
export interface Operation {
  readonly operationId: string;
  readonly change: Change;
  readonly username: string;
  /** Name of the key that it brings. */
  readonly key: string;
}

/** What is seen of a container. */
export interface Seen {
  readonly containerId: string;
  /** First port of the triple. */
  readonly base: number;
  /** Fingerprint of its host key. */
  readonly hostKey?: string | undefined;
}

/** How an operation ended, as the main server saw it. */
export type Outcome =
  | { readonly kind: "success"; readonly seen: Seen | undefined }
  /** It was carried out to this end: nothing has changed. */
  | { readonly kind: "refused"; readonly code: ErrorCode }
  /** A fault came between: it may have taken effect or not. */
  | { readonly kind: "in doubt" }
  /** There was no connection to send it by. */
  | { readonly kind: "not sent" };

interface Present {
  /** The create that made it. */
  readonly born: string;
  readonly runs: boolean;
  readonly key: string;
  readonly seen: Seen | undefined;
}

/** What a user may have, after all that was said. */
export interface Possible {
  readonly container: Present | undefined;
  /** Operations that have succeeded, each with the birth of the container that it was about: a repeat executes nothing. */
  readonly done: readonly string[];
}

export const NOTHING: readonly Possible[] = [{ container: undefined, done: [] }];

/** Whether a container of that triple may have been moved to another one since. */
export type MayMove = (base: number) => boolean;

/**
 * What a user may have after these operations, which ran one after the other in an order that nobody knows. Nothing at
 * all is possible where no order explains what was replied: then the backend broke its word.
 */
export function after(
  before: readonly Possible[],
  replied: readonly (readonly [Operation, Outcome])[],
  mayMove: MayMove,
): readonly Possible[] {
  if (replied.length === 0) return before;
  const ends = replied.flatMap(([operation, outcome], index) => {
    const others = replied.filter((_, other) => other !== index);
    return after(distinct(before.flatMap((one) => next(one, operation, outcome, mayMove))), others, mayMove);
  });
  return distinct(ends);
}

function next(before: Possible, operation: Operation, outcome: Outcome, mayMove: MayMove): readonly Possible[] {
  if (outcome.kind === "not sent") return [before];
  const { verdict, container } = carriedOut(before, operation);
  const about = entry(operation, container ?? before.container);
  const done = [...new Set([...before.done, about])].sort();
  switch (outcome.kind) {
    case "success":
      return verdict === "success" ? recognised({ container, done }, outcome.seen, operation, mayMove) : [];
    case "refused":
      return verdict === outcome.code ? [before] : [];
    case "in doubt":
      return verdict === "success" ? [before, { container, done }, { container, done: before.done }] : [before];
  }
}

const entry = ({ operationId }: Operation, container: Present | undefined): string =>
  `${operationId} ${container?.born ?? ""}`;

/** What the contract says of an operation whose turn has come. */
function carriedOut(
  { container, done }: Possible,
  operation: Operation,
): { verdict: "success" | "NOT_FOUND" | "ALREADY_EXISTS"; container: Present | undefined } {
  const { operationId, change, key } = operation;
  const isRepeat = done.some((one) => one.startsWith(`${operationId} `));
  if (change === "delete-container") return { verdict: "success", container: isRepeat ? container : undefined };
  if (isRepeat) return { verdict: done.includes(entry(operation, container)) ? "success" : "NOT_FOUND", container };
  if (change === "create-container") {
    if (!container) return { verdict: "success", container: { born: operationId, runs: true, key, seen: undefined } };
    return { verdict: container.born === operationId ? "success" : "ALREADY_EXISTS", container };
  }
  if (!container) return { verdict: "NOT_FOUND", container };
  if (change === "set-ssh-keys") return { verdict: "success", container: { ...container, key } };
  return { verdict: "success", container: { ...container, runs: change === "start-container" } };
}

/** A container keeps its id and its ports, but where a start had to move it. */
function recognised(
  { container, done }: Possible,
  seen: Seen | undefined,
  { change }: Operation,
  mayMove: MayMove,
): readonly Possible[] {
  if (!container || !seen || change === "delete-container") return [{ container, done }];
  return isTheSame(container.seen, seen, mayMove) ? [{ container: { ...container, seen }, done }] : [];
}

export function isTheSame(before: Seen | undefined, now: Seen, mayMove: MayMove): boolean {
  if (!before) return true;
  const [sameId, samePorts] = [before.containerId === now.containerId, before.base === now.base];
  if (before.hostKey !== undefined && now.hostKey !== before.hostKey) return false;
  return (sameId && samePorts) || (!sameId && !samePorts && mayMove(before.base));
}

function distinct(all: readonly Possible[]): readonly Possible[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
