import { createInterface } from "node:readline";
import { pipeline, type Duplex, type Readable } from "node:stream";
import type { TerminalSize } from "@dockhost/protocol";
import { DockerApi, type EngineAddress } from "./docker-api.ts";
import { once, repeatable } from "./docker-calls.ts";
import { WithoutFrames } from "./log-frames.ts";
import type { ContainerStats, EngineStreams, EngineTerminal, TerminalOrder } from "./streams.ts";

/** The Docker Engine's streams, each over a connection of its own. */
export class DockerStreams implements EngineStreams {
  readonly #api: DockerApi;

  constructor(address: EngineAddress) {
    this.#api = new DockerApi(address);
  }

  async logs(id: string, { tail, follow, since }: { tail: number; follow: boolean; since?: Date }): Promise<Readable> {
    const query = { stdout: true, stderr: true, tail, follow, since: since && since.getTime() / 1000 };
    const stream = await once("logs", () => this.#api.stream("GET", `/containers/${id}/logs`, { query }));
    return pipeline(stream, new WithoutFrames(), () => undefined);
  }

  async stats(id: string): Promise<AsyncIterable<ContainerStats> & { destroy(): void }> {
    const stream = await once("stats", () => this.#api.stream("GET", `/containers/${id}/stats`));
    return {
      async *[Symbol.asyncIterator]() {
        for await (const line of createInterface({ input: stream })) {
          const stats = JSON.parse(line) as DockerStats;
          if (!isOfRunning(stats)) return;
          yield containerStats(stats);
        }
      },
      destroy: () => stream.destroy(),
    };
  }

  async terminal(id: string, { command, environment, workingDirectory, size }: TerminalOrder): Promise<EngineTerminal> {
    const exec = await this.#exec(id, {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      Cmd: command,
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      WorkingDir: workingDirectory,
    });
    const stream = await once("exec start", () =>
      this.#api.upgrade(`/exec/${exec}/start`, { Detach: false, Tty: true }),
    );
    const terminal = { stream, resize: (to: TerminalSize) => this.#resize(exec, to) };
    await terminal.resize(size);
    return terminal;
  }

  async run(id: string, command: readonly string[]): Promise<void> {
    const exec = await this.#exec(id, { AttachStdout: true, Cmd: command });
    const output = await once("exec start", () => this.#api.upgrade(`/exec/${exec}/start`, { Detach: false }));
    await ended(output);
  }

  async #exec(id: string, body: object): Promise<string> {
    const { Id } = await once("exec", () => this.#api.call<{ Id: string }>("POST", `/containers/${id}/exec`, { body }));
    return Id;
  }

  async #resize(exec: string, { columns, rows }: TerminalSize): Promise<void> {
    const query = { w: columns, h: rows };
    await repeatable("exec resize", () => this.#api.call("POST", `/exec/${exec}/resize`, { query }));
  }
}

function ended(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve).on("error", () => undefined);
    stream.resume();
  });
}

/** As of API 1.41; the Engine tells of a container that has stopped with times of the year 1. */
interface DockerStats {
  read: string;
  cpu_stats: { cpu_usage: { total_usage: number } };
  memory_stats: { usage?: number; limit?: number; stats?: { inactive_file?: number; total_inactive_file?: number } };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
  blkio_stats: { io_service_bytes_recursive?: { op: string; value: number }[] | null };
  pids_stats: { current?: number };
}

const isOfRunning = ({ read }: DockerStats): boolean => !read.startsWith("0001-");

function containerStats(stats: DockerStats): ContainerStats {
  const { memory_stats: memory, blkio_stats: disk } = stats;
  const networks = Object.values(stats.networks ?? {});
  const diskBytes = (wanted: string): number =>
    sum((disk.io_service_bytes_recursive ?? []).map(({ op, value }) => (op.toLowerCase() === wanted ? value : 0)));
  // What the kernel would give back at once is nobody's use: cgroup 1 and 2 name it differently.
  const givenBack = memory.stats?.inactive_file ?? memory.stats?.total_inactive_file ?? 0;
  return {
    at: new Date(stats.read),
    cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9,
    memoryBytes: Math.max(0, (memory.usage ?? 0) - givenBack),
    memoryLimitBytes: memory.limit ?? 0,
    networkReceivedBytes: sum(networks.map(({ rx_bytes }) => rx_bytes)),
    networkSentBytes: sum(networks.map(({ tx_bytes }) => tx_bytes)),
    diskReadBytes: diskBytes("read"),
    diskWrittenBytes: diskBytes("write"),
    processes: stats.pids_stats.current ?? 0,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
