import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { integer, nat, record as recordOf, sample } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandName, Reply } from "@dockhost/protocol";
import { FaultProxy } from "../support/fault-proxy.ts";
import type { ServerOptions } from "../support/main-server-double.ts";
import { newUser, Site } from "../support/site.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { expectHealed } from "./healed.ts";
import type { Expected } from "./invariants.ts";
import { record } from "./ledger.ts";
import { Tenant } from "./tenant.ts";

const HOST = "127.0.0.1";

let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
});
afterAll(() => person[Symbol.asyncDispose]());

const asking = (name: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
});

/** A site whose backend reaches its main server over a network that a test can make bad. */
class FarSite implements AsyncDisposable {
  readonly site: Site;
  readonly network: FaultProxy;

  private constructor(site: Site, network: FaultProxy) {
    this.site = site;
    this.network = network;
  }

  static async open(server: ServerOptions = {}): Promise<FarSite> {
    const site = await Site.prepare({ server });
    const network = await FaultProxy.open({ host: HOST, port: 0 }, { host: HOST, port: site.server.port });
    const far = new FarSite(site, network);
    await far.#connect();
    return far;
  }

  /** Waits for the backend's own next try. */
  async reconnected(): Promise<void> {
    const connection = await this.site.server.nextConnection();
    await connection.said.report("inventory");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }

  async #connect(): Promise<void> {
    const { site, network } = this;
    await site.ready(site.start({ MAIN_SERVER_BACKEND_URL: `http://${HOST}:${network.port}` }));
  }
}

describe("a main server that", () => {
  test("is half-open is noticed by pings alone; containers are untouched; afterwards the whole is told", async () => {
    // Either end gives a connection up that was silent for one and a half seconds.
    await using far = await FarSite.open({ pingInterval: 500, pingTimeout: 1_000 });
    const { site, network } = far;
    const [ada, bob] = [await Tenant.settle(site, person, "ada"), await Tenant.settle(site, person, "bob")];
    network.faults = { held: "both" };
    await site.backend.wrote("Lost the main server");
    await site.docker("stop", bob.container.containerId);

    const reconnected = far.reconnected();
    network.faults = {};
    await reconnected;
    const told = site.connection.said.reports("inventory").at(-1)?.containers;
    expect(Object.fromEntries((told ?? []).map(({ username, state }) => [username, state]))).toEqual({
      [ada.username]: "running",
      [bob.username]: "stopped",
    });
    await ada.expectAsBefore(site, "running");
    await bob.expectAsBefore(site, "stopped");
    expect(site.connection.said.reports("inventory")).toHaveLength(1);
    record({ fault: "main server gone, half-open, or slow", runs: 1 });
  });

  test("is gone, time and again, finds the whole each time it is back", async () => {
    await using far = await FarSite.open();
    const ada = await Tenant.settle(far.site, person, "ada");
    for (let times = 1; times <= 3; times += 1) {
      const reconnected = far.reconnected();
      far.network.reset();
      await reconnected;
      expect(far.site.connection.said.reports("inventory")).toEqual([{ containers: [ada.container] }]);
    }
    await ada.expectAsBefore(far.site, "running");
    await expectHealed(far.site, { [ada.username]: "running" });
    record({ fault: "main server gone, half-open, or slow", runs: 3 });
  });

  test.each([
    ["far away and behind a thin line", { latencyMs: 120, pieceBytes: 1_400, bytesPerSecond: 40_000 }],
    ["behind a line that takes a byte at a time", { pieceBytes: 1 }],
  ])("is %s is served by the same connection", async (_, faults) => {
    await using far = await FarSite.open();
    const { site, network } = far;
    network.faults = faults;
    const request = asking("cid");
    const { username } = request;
    const container = await site.connection.succeed("create-container", request);
    await site.connection.succeed("stop-container", { username });
    expect(await site.connection.succeed("start-container", { username })).toEqual(container);
    expect(await site.connection.succeed("list-containers", {})).toEqual({ containers: [container] });
    expect(site.server.connections).toHaveLength(1);
    await expectHealed(site, { [username]: "running" });
    record({ fault: "main server gone, half-open, or slow", runs: 1 });
  });

  test("never gets the reply gets it by the retry, which executes nothing", async () => {
    await using far = await FarSite.open();
    const { site, network } = far;
    const request = asking("dan");
    network.faults = { held: "up" };
    site.connection.socket.emit("create-container", request);
    await site.backend.wrote("Container created");
    const reconnected = far.reconnected();
    network.reset();
    network.faults = {};
    await reconnected;
    const [there] = site.connection.said.reports("inventory").at(-1)?.containers ?? [];
    expect(await site.connection.succeed("create-container", request)).toEqual(there);
    await expectHealed(site, { [request.username]: "running" });
    record({ fault: "duplicate, late or reordered command", runs: 1 });
  });
});

/** After so many deliveries the connection breaks; each time the backend waits longer before it tries again. */
const BREAKS_EVERY = 10;

type Change = Extract<CommandName, `${"create" | "start" | "stop" | "delete"}-container`>;

interface Delivery {
  readonly command: Change;
  readonly request: { readonly username: string; readonly operationId: string; readonly sshPublicKey?: string };
  /** Nothing more is sent until it is answered, or until then. */
  readonly pauseMs: number;
}

describe("commands that arrive twice, late, or in another order", () => {
  test("have one outcome per operation, and leave at most one container per user", async () => {
    await using far = await FarSite.open();
    const { site, network } = far;
    const seed = Number(process.env.DOCKHOST_SEED ?? randomInt(2 ** 31));
    console.info(`DOCKHOST_SEED=${seed}`);
    const users = ["eve", "fay"].map((name) => newUser(name));
    const outcomes = new Map<string, Set<string>>();

    for (const [index, { command, request, pauseMs }] of deliveries(users, seed).entries()) {
      if (index % BREAKS_EVERY === BREAKS_EVERY - 1) {
        const reconnected = far.reconnected();
        network.reset();
        await reconnected;
      }
      const reply = site.connection.reply(command, request).catch(() => undefined);
      const noted = reply.then((told) => note(outcomes, request.operationId, told));
      // Some wait for the one before, some do not.
      await Promise.race([noted, delay(pauseMs)]);
    }
    const expected: Record<string, Expected> = {};
    for (const username of users) {
      // Behind everything that is still under way for this user.
      await site.connection.reply("stop-container", { username });
      const { containers } = await site.connection.succeed("list-containers", { username });
      expect(containers.length).toBeLessThanOrEqual(1);
      expected[username] = containers[0]?.state ?? "absent";
    }
    for (const [operationId, ids] of outcomes) expect([...ids], operationId).toHaveLength(1);
    await expectHealed(site, expected);
    record({ fault: "duplicate, late or reordered command", runs: 1, seed });
  });

  test("what arrives again after its container was deleted tells nothing of the next one, and leaves it as it is", async () => {
    await using far = await FarSite.open();
    const { site } = far;
    const request = asking("ida");
    const { username } = request;
    const stop = { username, operationId: randomUUID() };
    await site.connection.succeed("create-container", request);
    await site.connection.succeed("stop-container", stop);
    await site.connection.succeed("delete-container", { username });
    const other = await person.newKey(newUser("ida"));
    const next = { username, sshPublicKey: other.publicKey, operationId: randomUUID() };
    const container = await site.connection.succeed("create-container", next);
    await site.connection.refusal("create-container", "NOT_FOUND", request);
    await site.connection.refusal("stop-container", "NOT_FOUND", stop);
    const connection = await site.restart("SIGKILL");
    await connection.refusal("create-container", "NOT_FOUND", request);
    await connection.refusal("stop-container", "NOT_FOUND", stop);
    expect(await connection.succeed("create-container", next)).toEqual(container);
    await expectHealed(site, { [username]: "running" });
    record({ fault: "duplicate, late or reordered command", runs: 4 });
  });

  test("a create that arrives again after a newer delete does nothing, over connections and restarts", async () => {
    await using far = await FarSite.open();
    const { site, network } = far;
    const request = asking("hal");
    const { username } = request;
    await site.connection.succeed("create-container", request);
    const removal = { username, operationId: randomUUID() };
    const removed = await site.connection.succeed("delete-container", removal);
    await site.connection.refusal("create-container", "NOT_FOUND", request);
    const reconnected = far.reconnected();
    network.reset();
    await reconnected;
    await site.connection.refusal("create-container", "NOT_FOUND", request);
    expect(await site.connection.succeed("delete-container", removal)).toEqual(removed);
    await expectHealed(site, {});
    record({ fault: "duplicate, late or reordered command", runs: 1 });
  });
});

/** Each user's life, every command of it sent one to three times, each of them up to three places late. */
function deliveries(users: readonly string[], seed: number): Delivery[] {
  const life: Change[] = ["create-container", "stop-container", "start-container", "delete-container"];
  const chance = recordOf({ copies: integer({ min: 1, max: 3 }), late: nat(3), pauseMs: nat(500) });
  const chances = sample(chance, { seed, numRuns: users.length * 6 });
  const placed = users.flatMap((username) =>
    [...life, ...life.slice(0, 2)].flatMap((command, place) => {
      const { copies = 1, late = 0, pauseMs = 0 } = chances.pop() ?? {};
      const keys = command === "create-container" ? { sshPublicKey: key.publicKey } : {};
      const request = { username, operationId: randomUUID(), ...keys };
      return Array.from({ length: copies }, (_, copy) => ({
        place: place + copy * late,
        delivery: { command, request, pauseMs },
      }));
    }),
  );
  return placed.sort((one, other) => one.place - other.place).map(({ delivery }) => delivery);
}

/** Every success of one operation tells of the same container; what was deleted since is not told of. */
function note(outcomes: Map<string, Set<string>>, operationId: string, reply: Reply<Change> | undefined): void {
  if (!reply?.success) return;
  const ids = outcomes.get(operationId) ?? new Set();
  outcomes.set(operationId, ids.add(reply.data.containerId ?? "none"));
}
