import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import type { Container } from "@dockhost/protocol";
import { MISHAPS, type Mishap } from "./faults.ts";
import { CHANGES, type Change, type Operation, type Outcome, type Possible } from "./histories.ts";
import { KEYS, USERS, type Model } from "./model.ts";
import { outcomeOf } from "./replies.ts";
import { Ruin } from "./ruin.ts";
import type { World } from "./world.ts";

export type Step = fc.AsyncCommand<Model, World>;

/** What one user asks for in a step. */
interface Wish {
  readonly username: string;
  /** "again": the newest operation once more. */
  readonly change: Change | "again";
  readonly key: string;
  /** The same operation two times at once. */
  readonly twice: boolean;
}

interface Due {
  readonly mishap: Mishap;
  readonly afterMs: number;
  readonly ms: number;
}

/** Several users' commands at once, and what goes wrong meanwhile. */
class Batch implements Step {
  readonly #wishes: readonly Wish[];
  readonly #due: readonly Due[];

  constructor(wishes: readonly Wish[], due: readonly Due[]) {
    this.#wishes = wishes;
    this.#due = due;
  }

  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    model.steps += 1;
    const operations = this.#wishes.flatMap((wish) => operationsOf(wish, model));
    const mishaps = this.#due.map(async ({ mishap, afterMs, ms }) => {
      await delay(afterMs);
      model.faults.push(mishap.fault);
      await mishap.happen(world, ms);
    });
    const replies = operations.map(async (one) => [one, await carryOut(one, world)] as const);
    const [replied] = await Promise.all([allOf(replies), listed(world), allOf(mishaps)]);
    for (const username of new Set(operations.map((one) => one.username))) {
      const ofUser = replied.filter(([operation]) => operation.username === username);
      model.learn(username, ofUser, world.excuses);
    }
    await Promise.all(USERS.map((username) => mark(username, model, world)));
  }

  toString(): string {
    const wishes = this.#wishes.map(({ username, change, twice }) => `${username}: ${change}${twice ? " twice" : ""}`);
    const due = this.#due.map(({ mishap, afterMs, ms }) => `${mishap.words(ms)} after ${afterMs} ms`);
    return `\n  [${[...wishes, ...due].join("; ")}]`;
  }
}

/** A person at the machine, with `docker`. */
class ByHand implements Step {
  readonly #username: string;
  readonly #how: "rm" | "stop";

  constructor(username: string, how: "rm" | "stop") {
    this.#username = username;
    this.#how = how;
  }

  check = (model: Readonly<Model>) => model.of(this.#username).possible.some(({ container }) => container);

  async run(model: Model, { machine }: World): Promise<void> {
    model.steps += 1;
    model.faults.push("docker rm or docker stop by hand");
    const { possible, isUnsettled } = model.of(this.#username);
    const command = this.#how === "rm" ? ["rm", "--force"] : ["stop"];
    const failure = await machine.docker(...command, `dockhost-${this.#username}`).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    const isGone = failure?.includes("No such container") ?? false;
    // A create whose reply was lost may give its container the name only now.
    if (isGone && isUnsettled) return;
    if (isGone)
      model.suppose(
        this.#username,
        possible.filter(({ container }) => !container),
      );
    else if (this.#how === "rm") model.suppose(this.#username, removed(possible, failure !== undefined || isUnsettled));
    // Who has stopped it, a backend that was away cannot know: it may start it again.
    else model.suppose(this.#username, possible.flatMap(runningOrNot));
  }

  toString = () => `\n  [docker ${this.#how} of ${this.#username}'s container]`;
}

/** Another process takes a port of a stopped container, or of the triple that is the next to be given. */
class PortTheft implements Step {
  readonly #username: string;
  readonly #offset: number;

  constructor(username: string, offset: number) {
    this.#username = username;
    this.#offset = offset;
  }

  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    model.steps += 1;
    const rests = stoppedAt(model.of(this.#username).possible);
    model.faults.push(
      rests === undefined ? "port taken between check and bind" : "port taken while its container was stopped",
    );
    await world.excuses.during("ports", () => world.steal((rests ?? nextFree(model, world)) + this.#offset));
  }

  toString = () => `\n  [port ${this.#offset} taken of ${this.#username}'s stopped container, else of the next triple]`;
}

/** Every step that there may be. */
export function anyStep(): fc.Arbitrary<Step>[] {
  const username = fc.constantFrom(...USERS);
  const wish: fc.Arbitrary<Wish> = fc.record({
    username,
    change: fc.oneof(
      { weight: 5, arbitrary: fc.constant("create-container" as const) },
      { weight: 6, arbitrary: fc.constantFrom(...CHANGES) },
      { weight: 2, arbitrary: fc.constant("again" as const) },
    ),
    key: fc.constantFrom(...KEYS),
    twice: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  });
  const due: fc.Arbitrary<Due> = fc.record({
    mishap: fc.constantFrom(...MISHAPS),
    afterMs: fc.integer({ min: 0, max: 700 }),
    ms: fc.constantFrom(200, 700, 1_500),
  });
  const wishes = fc.array(wish, { minLength: 1, maxLength: 4, size: "max" });
  const batch = fc.tuple(wishes, fc.array(due, { maxLength: 2, size: "max" })).map((parts) => new Batch(...parts));
  const byHand = fc
    .tuple(username, fc.constantFrom("rm" as const, "stop" as const))
    .map((parts) => new ByHand(...parts));
  const theft = fc.tuple(username, fc.integer({ min: 0, max: 2 })).map((parts) => new PortTheft(...parts));
  return [batch, batch, batch, batch, batch, batch, byHand, theft];
}

/** The operations of a user's wish: none where there is nothing to repeat. */
function operationsOf({ username, change, key, twice }: Wish, model: Model): Operation[] {
  const operation =
    change === "again" ? model.of(username).last?.operation : { operationId: randomUUID(), change, username, key };
  if (!operation) return [];
  return twice ? [operation, operation] : [operation];
}

export async function carryOut(operation: Operation, world: World): Promise<Outcome> {
  const { username, operationId, change, key } = operation;
  const sshPublicKeys = [world.key(key).publicKey];
  const request = { username, operationId };
  const { sent, reply } =
    change === "create-container" || change === "set-ssh-keys"
      ? await world.command(change, { ...request, sshPublicKeys })
      : await world.command(change, request);
  return sent ? outcomeOf(operation, reply, world.excuses) : { kind: "not sent" };
}

/** I1 and I4 hold at any moment. */
async function listed(world: World): Promise<void> {
  const { reply } = await world.command("list-containers", {});
  if (reply?.success) expectDistinct(reply.data.containers);
}

export function expectDistinct(containers: readonly Container[]): void {
  const users = containers.map(({ username }) => username);
  const ports = containers.flatMap((container) => Object.values(container.ports));
  if (new Set(users).size < users.length)
    throw new Ruin("duplicated", `two containers of one user: ${users.join(", ")}`);
  if (new Set(ports).size < ports.length) throw new Ruin("duplicated", `one port given twice: ${ports.join(", ")}`);
}

/** Writes a file into a new container, by which it is known for as long as it lives. */
async function mark(username: string, model: Model, world: World): Promise<void> {
  const [only, ...others] = model.of(username).possible;
  const { container } = only ?? {};
  if (!container?.seen || others.length > 0 || !container.runs || model.marked.has(container.born)) return;
  const { code } = await world.login(container.seen, container.key, `echo ${container.born} > mark && sync mark`);
  if (code === 0) model.marked.add(container.born);
}

const removed = (possible: readonly Possible[], inDoubt: boolean): readonly Possible[] => [
  ...possible.map(({ done }) => ({ container: undefined, done })),
  ...(inDoubt ? possible : []),
];

const runningOrNot = ({ container, done }: Possible): Possible[] =>
  container ? [true, false].map((runs) => ({ container: { ...container, runs }, done })) : [{ container, done }];

function stoppedAt(possible: readonly Possible[]): number | undefined {
  const bases = possible.map(({ container }) => (container?.runs === false ? container.seen?.base : undefined));
  return new Set(bases).size === 1 ? bases[0] : undefined;
}

function nextFree(model: Model, { firstPort }: World): number {
  const held = [...model.users.values()].flatMap(({ possible }) =>
    possible.map(({ container }) => container?.seen?.base),
  );
  let base = firstPort;
  while (held.includes(base)) base += 3;
  return base;
}

/** All of them, once all have ended; throws the first one's failure. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
