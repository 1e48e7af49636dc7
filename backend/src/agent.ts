import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "./config.ts";
import { lanAddress } from "./containers/addresses.ts";
import { ThisHost, type HostResources } from "./containers/capacity.ts";
import { Changes } from "./containers/changes.ts";
import { Containers } from "./containers/containers.ts";
import { Creation } from "./containers/creation.ts";
import { DataDirectory } from "./containers/data-directory.ts";
import { Draining } from "./containers/draining.ts";
import { Egress } from "./containers/egress.ts";
import { EngineTrial } from "./containers/engine-trial.ts";
import { EngineTurns } from "./containers/engine-turns.ts";
import { EngineWatch } from "./containers/engine-watch.ts";
import { Gate } from "./containers/gate.ts";
import { Images } from "./containers/images.ts";
import { Inventory } from "./containers/inventory.ts";
import { KnownContainers } from "./containers/known-containers.ts";
import { LeftDirectories } from "./containers/left-directories.ts";
import { LostProcesses } from "./containers/lost-processes.ts";
import { Moving } from "./containers/moving.ts";
import { OperationLog } from "./containers/operation-log.ts";
import { Operations } from "./containers/operations.ts";
import { PortTriples, type PortProbe } from "./containers/port-triples.ts";
import { Recovery } from "./containers/recovery.ts";
import { SlotDirectories } from "./containers/slot-directories.ts";
import { SlotBuilder } from "./containers/slot-builder.ts";
import { SlotMaking } from "./containers/slot-making.ts";
import { Slots } from "./containers/slots.ts";
import { SlotsUnderWay } from "./containers/slots-under-way.ts";
import { SpareSlots } from "./containers/spare-slots.ts";
import { SshCheck } from "./containers/ssh-check.ts";
import { Status } from "./containers/status.ts";
import { StreamSources } from "./containers/stream-sources.ts";
import { UserQueues } from "./containers/user-queues.ts";
import { WarmPool } from "./containers/warm-pool.ts";
import { DockerEngine } from "./engine/docker-engine.ts";
import { DockerStreams } from "./engine/docker-streams.ts";
import { EngineWithDeadlines, type EngineDeadlines } from "./engine/engine-with-deadlines.ts";
import type { Engine } from "./engine/engine.ts";
import type { EngineStreams } from "./engine/streams.ts";
import { Connection, type ConnectionOptions } from "./link/connection.ts";
import { Dispatch } from "./link/dispatch.ts";
import type { Rate } from "./link/rate-limit.ts";
import { Reports } from "./link/reports.ts";
import { Streams } from "./link/streams.ts";
import type { Log, RootLog } from "./observe/log.ts";
import { VERSION } from "./version.ts";

/** Commands under way at shutdown may finish within this; what has not by then is rolled back, ms. */
const FINISH_MS = 5_500;
const ROLL_BACK_MS = 3_000;
/** Then everything is ended, whatever the Engine has not answered yet, ms. */
const LEAVE_MS = 500;

/** Making a container is half work and half waiting: with two a processor idles, with four each one only takes longer (measured with two processors). */
const ENGINE_TURNS_PER_CPU = 3;

/** Parts that a test replaces. */
export interface AgentOverrides {
  engine?: Engine;
  engineStreams?: EngineStreams;
  engineDeadlines?: EngineDeadlines;
  host?: HostResources;
  portProbe?: PortProbe;
  linkRetryMs?: ConnectionOptions["retryMs"];
  engineRetryMs?: { first: number; last: number };
  sweepEveryMs?: number;
  commandRate?: Rate;
}

export interface Agent extends AsyncDisposable {
  /** Resolves when the main server has been reached and recovery has run, both for the first time. */
  readonly ready: Promise<void>;
}

/** The whole backend, put together and at work. Throws DataDirectoryError. */
export async function createAgent(config: Config, log: RootLog, overrides: AgentOverrides = {}): Promise<Agent> {
  const data = await DataDirectory.open(config.dataDirectory);
  const operationLog = await OperationLog.open(data.path);
  const thisHost = new ThisHost(data.path);
  const engine = new EngineWithDeadlines(
    overrides.engine ?? new DockerEngine(config.engine),
    overrides.engineDeadlines,
  );
  const { limits, bindAddress, egress: egressPolicy, portRange, runtime, maxContainers } = config;
  const directories = new SlotDirectories(data.path);
  const slotsUnderWay = new SlotsUnderWay();
  const known = new KnownContainers(engine, data.backendId, slotsUnderWay, log);
  engine.onChange((container) => known.doubt(container));

  const publishedHost = publishedAt(config);
  // What several parts share; each takes from it only what its own type names.
  const shared = {
    engine,
    log,
    directories,
    known,
    slotsUnderWay,
    maxContainers,
    backendId: data.backendId,
    dataDirectory: data.path,
    host: overrides.host ?? thisHost,
    profile: { limits, bindAddress, runtime },
    gate: new Gate(),
    queues: new UserQueues(),
    draining: new Draining(data.path),
    triples: new PortTriples(portRange, overrides.portProbe),
    images: new Images(engine, log, config),
    inventory: new Inventory(engine, known, directories, data.backendId),
    sshCheck: new SshCheck(engine, publishedHost),
  };
  const engineIsLocal = config.engine.kind === "unix";
  const engineTrial = new EngineTrial(shared);
  const engineTurns = new EngineTurns(ENGINE_TURNS_PER_CPU * availableParallelism());
  const builder = new SlotBuilder({ ...shared, engineTrial, engineTurns, engineIsLocal });
  const spares = new SpareSlots(shared.triples, () => reports.statusChanged());
  const leftDirectories = new LeftDirectories({ ...shared, engineIsLocal });
  const slots = new Slots({ ...shared, engineTurns, leftDirectories });
  const slotMaking = new SlotMaking({ ...shared, engineTrial, builder, spares, slots });
  const warmPool = new WarmPool({
    ...shared,
    engineTrial,
    builder,
    spares,
    slots,
    slotMaking,
    warmPool: config.warmPool,
  });
  const changes = new Changes({ ...shared, slots });
  const moving = new Moving({ ...shared, slots, slotMaking });
  const lostProcesses = new LostProcesses({ ...shared, engineIsLocal });
  const recovery = new Recovery({ ...shared, slots, moving, lostProcesses, warmPool, operations: operationLog });
  const creation = new Creation({ ...shared, slots, slotMaking, warmPool });
  const operations = new Operations(shared.gate, shared.queues, operationLog);
  const containers = new Containers({ ...shared, slots, moving, creation, operations, warmPool });
  const egress = new Egress({
    ...shared,
    engineIsLocal,
    egress: egressPolicy,
    onChange: () => reports.statusChanged(),
  });
  const status = new Status({ ...shared, engineTrial, spares, egress, portRange, version: VERSION });

  const connection = new Connection({
    url: config.mainServerUrl,
    apiKey: config.apiKey,
    version: VERSION,
    agentId: randomUUID(),
    lanAddress,
    log,
    retryMs: overrides.linkRetryMs,
  });
  const { socket } = connection;
  const { gate, inventory } = shared;
  const reports = new Reports(
    socket,
    {
      status: () => status.read(),
      inventory: async () => (gate.isOpen ? { containers: await inventory.staying() } : undefined),
    },
    log,
  );
  const engineStreams = overrides.engineStreams ?? new DockerStreams(config.engine);
  const sources = new StreamSources({ ...shared, streams: engineStreams, logTail: log.tail, publishedHost });
  const streams = new Streams({ url: config.mainServerUrl, sources, log });
  const dispatch = new Dispatch({ containers, streams }, reports, log, overrides.commandRate);
  dispatch.attach(socket);
  changes.onChange((change) => reports.changed(change));
  moving.onMoved((container) => reports.changed({ container, cause: { kind: "started" } }));

  const reached = new Promise<void>((resolve) => socket.once("connect", resolve));
  const watch = new EngineWatch({
    ...shared,
    recovery,
    changes,
    retryMs: overrides.engineRetryMs,
    sweepEveryMs: overrides.sweepEveryMs,
    afterRecovery: async () => {
      const info = await engine.info();
      status.engineIs(info);
      const { rootDirectory, runtimes } = info;
      thisHost.engineDirectory = rootDirectory;
      if (runtime !== undefined && !runtimes.includes(runtime)) {
        log.error({ runtimes }, `Docker has no runtime '${runtime}'; set DOCKHOST_RUNTIME to one that it has`);
      }
      void tryOutEngine(shared.images, engineTrial, log).then(() => reports.statusChanged());
      await egress.look();
    },
    afterOpening: () => {
      warmPool.wake();
      reports.resync();
    },
    afterClosing: () => reports.statusChanged(),
  });
  connection.open();

  return {
    ready: reached.then(() => gate.firstOpening),
    async [Symbol.asyncDispose]() {
      dispatch.close();
      const finished = async () => Promise.all([dispatch.replied(), shared.queues.idle()]);
      const emptied = atMost(FINISH_MS, warmPool[Symbol.asyncDispose]());
      await finishWork(finished, shared.images, slots, log);
      await emptied;
      await atMost(LEAVE_MS, streams[Symbol.asyncDispose]());
      reports[Symbol.dispose]();
      connection.close();
      await atMost(LEAVE_MS, watch[Symbol.asyncDispose]());
      await operationLog[Symbol.asyncDispose]();
      await data[Symbol.asyncDispose]();
    },
  };
}

/** Where the ports that the Engine publishes are reached from this process. */
function publishedAt({ engine, bindAddress }: Config): string {
  if (engine.kind === "tcp") return engine.host;
  if (bindAddress === "0.0.0.0") return "127.0.0.1";
  return bindAddress === "::" ? "::1" : bindAddress;
}

/** Ahead of the first create, where the image is here already; otherwise that create does it. A restart may change it. */
async function tryOutEngine(images: Images, engineTrial: EngineTrial, log: Log): Promise<void> {
  try {
    const image = await images.find(undefined);
    if (image) await engineTrial.repeat(image);
  } catch (error) {
    log.debug({ error }, "The Engine could not be tried out yet; the first create does it");
  }
}

async function finishWork(finished: () => Promise<unknown>, images: Images, slots: Slots, log: Log): Promise<void> {
  if (await atMost(FINISH_MS, finished())) return;
  log.warn({}, "Some operations did not finish in time; they are rolled back");
  images.abandonPulls();
  await atMost(ROLL_BACK_MS, slots.abandonUnderWay().then(finished));
}

/** Whether `work` ended within `ms`. */
const atMost = (ms: number, work: Promise<unknown>): Promise<boolean> =>
  Promise.race([work.then(() => true), delay(ms, false, { ref: false })]);
