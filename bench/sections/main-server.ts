import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RESULTS, type TestBed } from "../bed.ts";
import { FarEnd } from "../fleet/far-end.ts";
import { Fleet } from "../fleet/fleet.ts";
import type { LoadFigures } from "../fleet/orders.ts";
import { CONTAINERS_EACH, INSTANCES_OF_A_USER, usernameOf } from "../fleet/population.ts";
import { recordsAreRight } from "../fleet/records.ts";
import { RestClient } from "../fleet/rest-client.ts";
import { seed } from "../fleet/seed.ts";
import type { Measurement, Row } from "../measurement.ts";
import type { Progress } from "../report/progress.ts";
import { quantile, ratio, summary, type Round } from "../statistics.ts";
import { COMMANDS_PER_SECOND, connected, FLEET, TITLES } from "../titles.ts";

/** How cost grows with the backends that are connected to one main server. */
const SIZES = [FLEET, 200, 1];
const LISTS_PER_SECOND = 20;
const ROUNDS = 5;
const WARM_UP_ROUNDS = 1;
const ROUND_SECONDS = 4;
/** Code that has rested, and memory that was cleared, take so long to get into their stride; a main server never rests. */
const LEAD_IN_SECONDS = 4;
/** Until what a start left behind is cleared away, and what a wave of connections did. */
const START_SETTLES_MS = 3_000;
const CONNECTIONS_SETTLE_MS = 12_000;
const RESYNC_PATIENCE_MS = 90_000;
const PROBE_EVERY_MS = 25;
const LOG_FILE = join(RESULTS, "main-server.log");

interface Cost {
  commands: Round[];
  /** In KiB, of each backend. */
  memory: number;
}

interface MainServerCost extends Cost {
  backends: number;
  bare: Cost;
  lists: Round[];
  /** From the restarted server's listening until every record is right, ms. */
  resync: number;
  listsMeanwhile: Round;
}

/** One main server with 1, 200 and 2,000 backends of 20 containers each, beside a bare Socket.IO server with as many. */
export async function measureMainServer(bed: TestBed, progress: Progress): Promise<Measurement[]> {
  const costs: MainServerCost[] = [];
  for (const backends of SIZES) {
    costs.push(await costOf(backends, bed.signal, progress.of(`Main server with ${connected(backends)}`)));
  }
  const ways = costs.map(({ backends, ...cost }) => ({ name: connected(backends), ...cost }));
  const bare = costs.map(({ backends, bare: cost }) => ({ name: `bare Socket.IO, ${connected(backends)}`, ...cost }));
  const p99 = (rounds: readonly Round[]) => rounds.map((round) => [quantile(round, 0.99)]);
  const [most] = ways;
  const meanwhile = { name: `while ${most?.name} resync`, rounds: most ? [[quantile(most.listsMeanwhile, 0.99)]] : [] };
  return [
    table(
      TITLES.command,
      "ms",
      [...ways, ...bare].map(({ name, commands: rounds }) => ({ name, rounds })),
    ),
    table(
      TITLES.commandP99,
      "ms",
      [...ways, ...bare].map(({ name, commands }) => ({ name, rounds: p99(commands) })),
    ),
    table(TITLES.restListP99(INSTANCES_OF_A_USER), "ms", [
      ...ways.map(({ name, lists }) => ({ name, rounds: p99(lists) })),
      meanwhile,
    ]),
    table(
      TITLES.resync,
      "ms",
      ways.map(({ name, resync }) => ({ name, rounds: [[resync]] })),
    ),
    table(
      TITLES.memoryOfBackend,
      "KiB",
      [...ways, ...bare]
        // Of fewer it would be less than what a process's memory wavers by.
        .filter(({ name }) => name.endsWith(connected(FLEET)))
        .map(({ name, memory }) => ({ name, rounds: [[memory]] })),
    ),
  ];
}

/** Rows whose first is ours with the most backends; it is compared with the bare server that has as many. */
function table(title: string, unit: Measurement["unit"], ways: readonly { name: string; rounds: readonly Round[] }[]) {
  const [ours] = ways;
  const rows = ways.map(({ name, rounds }): Row => ({
    name,
    summary: summary(rounds),
    ...(ours && name === `bare Socket.IO, ${ours.name}` && { ratio: ratio(ours.rounds, rounds) }),
  }));
  return { title, unit, rows };
}

async function costOf(
  backends: number,
  signal: AbortSignal,
  onRound: (done: number, of: number) => void,
): Promise<MainServerCost> {
  const dataDir = await mkdtemp(join("/var/tmp", "dockhost-bench-"));
  try {
    await seed(dataDir, Math.max(backends, INSTANCES_OF_A_USER));
    await using bare = await Connected.to(await FarEnd.echo(backends, LOG_FILE), backends);
    await using main = await Connected.to(await FarEnd.mainServer(dataDir, LOG_FILE), backends);
    const after = await restart(main, dataDir);
    const rounds = await loadInTurn(main, bare, signal, onRound);
    return {
      backends,
      ...after,
      memory: main.memory,
      ...rounds.main,
      bare: { commands: rounds.bare.commands, memory: bare.memory },
    };
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

/** A server, the fleet that is connected to it, and what that cost in memory. */
class Connected implements AsyncDisposable {
  farEnd: FarEnd;
  readonly fleet: Fleet;
  /** KiB for each backend. */
  readonly memory: number;

  private constructor(farEnd: FarEnd, fleet: Fleet, memory: number) {
    this.farEnd = farEnd;
    this.fleet = fleet;
    this.memory = memory;
  }

  static async to(farEnd: FarEnd, backends: number): Promise<Connected> {
    await delay(START_SETTLES_MS);
    const before = await farEnd.residentKiB();
    const fleet = await Fleet.connect(farEnd.url, backends, LOG_FILE);
    await delay(CONNECTIONS_SETTLE_MS);
    return new Connected(farEnd, fleet, ((await farEnd.residentKiB()) - before) / backends);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await this.farEnd[Symbol.asyncDispose]();
  }
}

/** While the server is away one container of each backend stops, which only its inventory then tells. */
async function restart(main: Connected, dataDir: string): Promise<Pick<MainServerCost, "resync" | "listsMeanwhile">> {
  const { port } = main.farEnd;
  await main.farEnd[Symbol.asyncDispose]();
  await main.fleet.order("flip", { slot: 0 });
  main.farEnd = await FarEnd.mainServer(dataDir, LOG_FILE, port);
  const begin = performance.now();
  const over = new AbortController();
  const probes = probe(main.farEnd.url, over.signal);
  try {
    await recordsAreRight(dataDir, await main.fleet.order("stopped", {}), RESYNC_PATIENCE_MS);
  } finally {
    over.abort();
  }
  return { resync: performance.now() - begin, listsMeanwhile: await probes };
}

/** One list after another, until `over`; what each took. */
async function probe(url: string, over: AbortSignal): Promise<number[]> {
  using client = new RestClient(url);
  const times: number[] = [];
  for (let number = 0; !over.aborted; number++) {
    const begin = performance.now();
    await client.send("GET", "/api/instances?limit=50", usernameOf(0, number % CONTAINERS_EACH));
    times.push(performance.now() - begin);
    await delay(PROBE_EVERY_MS);
  }
  return times;
}

async function loadInTurn(
  main: Connected,
  bare: Connected,
  signal: AbortSignal,
  onRound: (done: number, of: number) => void,
) {
  const found = { main: { commands: [] as Round[], lists: [] as Round[] }, bare: { commands: [] as Round[] } };
  for (const { fleet } of [main, bare]) await fleet.order("rest", {});
  for (let round = 1 - WARM_UP_ROUNDS; round <= ROUNDS; round++) {
    signal.throwIfAborted();
    const ours = await load(main, LISTS_PER_SECOND);
    const theirs = await load(bare, 0);
    if (round < 1) continue;
    found.main.commands.push(ours.commands);
    found.main.lists.push(ours.lists);
    found.bare.commands.push(theirs.commands);
    onRound(round, ROUNDS);
  }
  return found;
}

async function load({ fleet }: Connected, listsPerSecond: number): Promise<LoadFigures> {
  const pace = {
    leadInSeconds: LEAD_IN_SECONDS,
    seconds: ROUND_SECONDS,
    commandsPerSecond: COMMANDS_PER_SECOND,
    listsPerSecond,
  };
  const figures = await fleet.order("load", pace);
  await fleet.order("rest", {});
  const [failure] = figures.failures;
  if (failure !== undefined) throw new Error(failure);
  return figures;
}
