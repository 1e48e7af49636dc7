import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, Limits } from "@dockhost/protocol";
import { FAILPOINTS, type Failpoint } from "../../backend/src/observe/failpoints.ts";
import { docker } from "../support/docker-cli.ts";
import { inspect } from "../support/engine-api.ts";
import type { KillOrder } from "../support/kill-orders.ts";
import { hold } from "../support/ports.ts";
import { isSoak } from "../support/rounds.ts";
import { newUser } from "../support/site.ts";
import { standing } from "../support/standing.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { expectInvariants, type Expected } from "./invariants.ts";
import { record } from "./ledger.ts";
import { MortalSite } from "./mortal-site.ts";

type Command = "create-container" | "start-container" | "stop-container" | "delete-container";

/** How the backend is brought to a failpoint. */
interface Way {
  /** What two users have when both send `command`. */
  before: "absent" | "running" | "stopped";
  command: Command;
  /** Where the backend dies in the command already, so that its next start comes to the failpoint. */
  earlier?: Failpoint;
  /** What a person does while no backend lives, in place of a death in the command. */
  byHand?: (one: { dataDirectory: string; container: Container }) => Promise<void>;
  /** At which passings of it the backend dies in turn. */
  passings?: readonly number[];
  /** Whether the retry comes there again, to die once more. */
  again?: boolean;
  /** Where the retries after that die, one after the other. */
  then?: readonly KillOrder[];
  /** What the create asks for. */
  limits?: Limits;
  /** Whether another process holds a port of the one's container meanwhile. */
  portTaken?: boolean;
}

const CREATE: Way = { before: "absent", command: "create-container" };
const START: Way = { before: "stopped", command: "start-container", again: true };
const STOP: Way = { before: "running", command: "stop-container", again: true };
const DELETE: Way = { before: "running", command: "delete-container" };
const MOVE: Way = { ...START, again: false, portTaken: true };

const WAYS: Readonly<Record<Failpoint, readonly [Way, ...Way[]]>> = {
  "create:ports-leased": [{ ...CREATE, again: true }],
  "create:directory-made": [{ ...CREATE, again: true }],
  "create:claimed": [{ ...CREATE, again: true }],
  "create:container-made": [{ ...CREATE, again: true }],
  "create:container-started": [{ ...CREATE, again: true }],
  "create:ssh-answered": [{ ...CREATE, again: true }],
  "create:fingerprint-claimed": [{ ...CREATE, again: true }],
  "create:named": [CREATE],
  "spare:container-started": [CREATE],
  "spare:ssh-answered": [CREATE],
  "spare:taken": [CREATE],
  "spare:claimed": [CREATE],
  "spare:limited": [{ ...CREATE, limits: { memoryMiB: 64 } }],
  "start:wish-claimed": [START],
  "start:container-started": [START],
  "start:ssh-answered": [START],
  "stop:wish-claimed": [STOP],
  "stop:container-stopped": [STOP],
  "delete:claimed": [DELETE],
  "delete:container-removed": [DELETE],
  "delete:directory-removed": [DELETE],
  "move:claimed": [{ ...MOVE, again: true }],
  "move:image-committed": [{ ...MOVE, again: true }],
  "move:successor-answers": [{ ...MOVE, again: true }],
  "move:decided": [MOVE],
  "move:old-removed": [MOVE],
  "move:named": [MOVE],
  "claim:written-beside": [{ ...CREATE, passings: [1, 2, 3], again: true }, START],
  "claim:renamed": [{ ...CREATE, passings: [1, 2, 3], again: true }, DELETE],
  "operation:recorded": [CREATE, { ...STOP, again: false }, DELETE],
  "recovery:listed": [{ ...CREATE, earlier: "create:container-made", again: true }],
  "recovery:unclaimed-removed": [{ ...CREATE, earlier: "create:container-started" }],
  "recovery:directory-removed": [{ ...CREATE, earlier: "create:directory-made" }],
  "recovery:delete-finished": [{ ...DELETE, earlier: "delete:claimed" }],
  "recovery:claim-adopted": [{ ...START, before: "running", byHand: loseClaim, again: false }],
  "recovery:create-recorded": [{ ...CREATE, earlier: "create:named" }],
  "recovery:container-started": [{ ...START, before: "running", byHand: stop, again: false }],
};

/** What the user who does not repeat the command asks for in its place. */
const INSTEAD: Readonly<Record<Command, Command>> = {
  "create-container": "delete-container",
  "start-container": "stop-container",
  "stop-container": "start-container",
  "delete-container": "create-container",
};

const AFTER: Readonly<Record<Command, Expected>> = {
  "create-container": "running",
  "start-container": "running",
  "stop-container": "stopped",
  "delete-container": "absent",
};

/**
 * Where the retry is killed too, and a second user's command is cut off with hers, who then asks for something else:
 * everywhere, or at the first of each group where there is no time for all.
 */
const isThorough = (name: Failpoint): boolean => isSoak || name === failpointsOf(groupOf(name))[0];

/** Whose failpoints one command comes to in their order, with a death and a retry at each, where there is no time for a command for each. */
const IN_A_ROW: readonly string[] = ["create", "start", "stop", "move"];

/** A busy machine needs a while for a group's backends to live and die, ms. */
const GROUP_MS = 900_000;

const GROUPS = [...new Set(FAILPOINTS.map(groupOf))];

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

describe.concurrent("a backend killed at any moment of", () => {
  test.each(GROUPS)(
    "%s:… leaves exactly what was asked for, whether the same is asked again or something else",
    async (group) => {
      // Two users' containers stand ready where it is about these.
      await using stage = await Stage.open(group === "spare" ? 2 : 0);
      for (const name of failpointsOf(group)) {
        for (const way of waysTo(name)) {
          for (const passing of way.passings ?? [1]) await stage.round(name, passing, way);
        }
      }
      record({
        fault: "backend killed (SIGKILL) at any step of a command",
        test: `killed at any moment of ${group}:…, once and twice in a row`,
        runs: stage.deaths,
      });
    },
    GROUP_MS,
  );
});

function groupOf(name: Failpoint): string {
  return name.replace(/:.*/, "");
}

function failpointsOf(group: string): readonly Failpoint[] {
  return FAILPOINTS.filter((one) => groupOf(one) === group);
}

function waysTo(name: Failpoint): readonly Way[] {
  const ways = (WAYS as Partial<typeof WAYS>)[name];
  if (!ways) throw new Error(`nobody has told yet how a backend comes to ${name}: add a way to WAYS`);
  if (isSoak) return ways;
  const way: Way = { ...ways[0], passings: [1], again: isThorough(name) && ways[0].again === true };
  const group = groupOf(name);
  if (!IN_A_ROW.includes(group)) return [way];
  const [first, ...others] = failpointsOf(group);
  return name === first ? [{ ...way, then: others.map((at) => ({ at, passing: 1 })) }] : [];
}

/** Two users whose commands are cut off, and two who only have their containers. */
class Stage implements AsyncDisposable {
  readonly #mortal: MortalSite;
  readonly #again = newUser("again");
  readonly #other = newUser("other");
  readonly #bystanders = { [newUser("runs")]: "running", [newUser("rests")]: "stopped" } as const;
  readonly #warmPool: number;
  /** What the other user has, once what she asked for instead is done. */
  #othersState: Expected = "absent";

  private constructor(mortal: MortalSite, warmPool: number) {
    this.#mortal = mortal;
    this.#warmPool = warmPool;
  }

  static async open(warmPool: number): Promise<Stage> {
    const stage = new Stage(await MortalSite.open({ DOCKHOST_WARM_POOL: String(warmPool) }), warmPool);
    await Promise.all(Object.entries(stage.#bystanders).map(([username, state]) => stage.#bring(username, state)));
    return stage;
  }

  get deaths(): number {
    return this.#mortal.deaths.length;
  }

  async round(name: Failpoint, passing: number, way: Way): Promise<void> {
    const [again, other] = [this.#again, this.#other];
    const place = `${name} ${passing} of ${way.command}`;
    const users = isThorough(name) ? [again, other] : [again];
    const [before] = await Promise.all(users.map((username) => this.#bring(username, way.before)));
    if (way.portTaken && before) await this.#writeMark(before);
    await using taken = way.portTaken && before ? await hold(before.ports.http) : undefined;
    await this.#mortal.alive();
    await standing(this.#mortal.site, this.#warmPool);
    const untouched = await this.#lookAtBystanders();
    const diedBefore = this.deaths;

    const operationId = randomUUID();
    await this.#dieAt(name, passing, way, before, operationId);
    const [reply] = await Promise.all([
      this.#send(way.command, again, operationId, way.limits),
      users.includes(other) && this.#askInstead(way.command, place),
    ]);

    const ordered = [{ at: name, passing }, ...(way.then ?? [])].map((order) => `${order.at} ${order.passing}`);
    expect(this.#mortal.deaths.slice(diedBefore), place).toEqual(expect.arrayContaining(ordered));
    if (way.again) expect(this.deaths - diedBefore, place).toBeGreaterThanOrEqual(2);
    this.#mortal.order();
    expect(reply, place).toMatchObject({ success: true });
    if (taken) {
      expect(reply, place).not.toMatchObject({ data: { ports: { http: taken.port } } });
    } else if (way.before !== "absent" && AFTER[way.command] !== "absent") {
      expect(reply, place).toMatchObject({ data: { containerId: before?.containerId, ports: before?.ports } });
    }
    await this.#expectRepeatable(way, again, operationId, reply);
    const states = { ...this.#bystanders, [again]: AFTER[way.command], [other]: this.#othersState };
    await expectInvariants(this.#mortal.site, states);
    expect(await this.#lookAtBystanders(), place).toEqual(untouched);
    for (const username of users) if (states[username] === "running") await this.#expectLogin(username, place);
    if (way.portTaken) await this.#expectMark(again, place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mortal[Symbol.asyncDispose]();
  }

  /** Both users send the command and the backend dies; the next one may already die at its start. */
  async #dieAt(name: Failpoint, passing: number, way: Way, container: Container | undefined, operationId: string) {
    const mortal = this.#mortal;
    const here = { at: name, passing };
    if (way.byHand && container) {
      await mortal.kill();
      await way.byHand({ dataDirectory: mortal.site.dataDirectory, container });
      mortal.order(here);
      return;
    }
    const connection = await mortal.alive();
    const once = [...(way.earlier ? [{ at: way.earlier, passing: 1 }] : []), here];
    mortal.order(...once, ...(isThorough(name) ? [here] : []), ...(way.then ?? []));
    connection.socket.emit(way.command, request(way.command, this.#again, operationId, way.limits));
    if (isThorough(name))
      connection.socket.emit(way.command, request(way.command, this.#other, randomUUID(), way.limits));
    await mortal.death();
  }

  /** The other user, who does not repeat what was cut off. */
  async #askInstead(cutOff: Command, place: string): Promise<void> {
    const instead = INSTEAD[cutOff];
    const reply = await this.#send(instead, this.#other, randomUUID());
    // A create may come where the delete that was cut off had not begun.
    if (!reply.success) expect(reply, place).toMatchObject({ error: { code: "ALREADY_EXISTS" } });
    this.#othersState = AFTER[instead];
  }

  /** I6: a repeat executes nothing, and its reply is the same. */
  async #expectRepeatable(way: Way, username: string, operationId: string, reply: object): Promise<void> {
    const startedAt = await this.#startedAt(username);
    const repeated = await this.#send(way.command, username, operationId, way.limits);
    expect(repeated).toEqual(reply);
    expect(await this.#startedAt(username)).toBe(startedAt);
  }

  /** A file of a stopped container's user. */
  async #writeMark({ username }: Container): Promise<void> {
    const connection = await this.#mortal.alive();
    const running = await connection.succeed("start-container", { username });
    expect(await person.login(running, key, `echo ${username} > mark; sync`)).toMatchObject({ code: 0 });
    await connection.succeed("stop-container", { username });
  }

  async #startedAt(username: string): Promise<string> {
    return inspect(`dockhost-${username}`).then(
      ({ Id, State }) => `${Id} ${State.StartedAt}`,
      () => "absent",
    );
  }

  /** Gives a user what they should have, by commands. */
  async #bring(username: string, to: Expected): Promise<Container | undefined> {
    const connection = await this.#mortal.alive();
    const { containers } = await connection.succeed("list-containers", { username });
    if (to === "absent") {
      await connection.succeed("delete-container", { username });
      return undefined;
    }
    if (containers.length === 0)
      await connection.succeed("create-container", { username, sshPublicKey: key.publicKey });
    return connection.succeed(to === "running" ? "start-container" : "stop-container", { username });
  }

  async #send(command: Command, username: string, operationId: string, limits?: Limits) {
    return this.#mortal.insist(command, request(command, username, operationId, limits));
  }

  async #lookAtBystanders(): Promise<unknown> {
    return Promise.all(
      Object.keys(this.#bystanders).map(async (username) => {
        const { Id, State, Config } = await inspect(`dockhost-${username}`);
        return { Id, State, labels: Config.Labels };
      }),
    );
  }

  async #expectMark(username: string, place: string): Promise<void> {
    expect(await this.#login(username, "cat mark"), place).toMatchObject({ code: 0, stdout: `${username}\n` });
  }

  async #expectLogin(username: string, place: string): Promise<void> {
    expect(await this.#login(username, "whoami"), place).toMatchObject({ code: 0, stdout: "root\n" });
  }

  async #login(username: string, command: string) {
    const { containers } = await this.#mortal.site.connection.succeed("list-containers", { username });
    const [container] = containers;
    if (!container) throw new Error(`${username} has no container`);
    return person.login(container, key, command);
  }
}

const request = (command: Command, username: string, operationId: string, limits?: Limits) =>
  command === "create-container"
    ? { username, operationId, sshPublicKey: key.publicKey, limits }
    : { username, operationId, sshPublicKey: undefined };

async function loseClaim({ dataDirectory, container }: { dataDirectory: string; container: Container }): Promise<void> {
  const slots = join(dataDirectory, "slots");
  for (const slot of await readdir(slots)) {
    const claim = join(slots, slot, "claim.json");
    if ((await readFile(claim, "utf8")).includes(`"${container.username}"`)) await rm(claim);
  }
}

async function stop({ container }: { container: Container }): Promise<void> {
  await docker("stop", container.containerId);
}
