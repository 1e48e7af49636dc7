import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Readable, type Duplex } from "node:stream";
import type { InstanceStats, StreamTarget, TerminalSize } from "@dockhost/protocol";
import type { ContainerStats, EngineStreams } from "../engine/streams.ts";
import type { LogTail } from "../observe/log-tail.ts";
import { DockHostError } from "./errors.ts";
import type { Gate } from "./gate.ts";
import type { Inventory } from "./inventory.ts";
import { portsOf } from "./port-triples.ts";
import type { SlotDirectories } from "./slot-directories.ts";
import { isRunning, type Owned } from "./views.ts";

/** Bash where there is one, as a login shell. */
const SHELL = ["/bin/sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi"];
/** By which whatever a terminal's shell has started is found when its viewer has gone. */
const MARK = "DOCKHOST_TERMINAL";

/** What a stream carries. */
export interface StreamSource extends AsyncDisposable {
  /** What is read of it is for the viewer; what is written to it comes from them. */
  readonly bytes: Readable | Duplex;
  /** Only of a terminal. */
  resize?(size: TerminalSize): Promise<void>;
}

interface StreamSourcesParts {
  streams: EngineStreams;
  inventory: Inventory;
  directories: SlotDirectories;
  gate: Gate;
  logTail: LogTail;
  /** Where the Engine's published ports are reached from here. */
  publishedHost: string;
}

/** Opens what people look at or type into. Rejects with a DockHostError or an EngineError. */
export class StreamSources {
  readonly #parts: StreamSourcesParts;

  constructor(parts: StreamSourcesParts) {
    this.#parts = parts;
  }

  async open(target: StreamTarget): Promise<StreamSource> {
    switch (target.kind) {
      case "backend-log":
        return reading(this.#parts.logTail.read(target));
      case "logs":
        return this.#logs(target);
      case "stats":
        return this.#stats(target);
      case "shell":
        return this.#shell(target);
      case "tcp":
        return this.#tcp(target);
    }
  }

  async #logs({ username, tail, follow }: Extract<StreamTarget, { kind: "logs" }>): Promise<StreamSource> {
    const { containerId, slot } = await this.#require(username);
    const claim = await this.#parts.directories.readClaim(slot);
    // Of a container that was made ahead the log begins before it was anybody's.
    const since = claim && new Date(claim.createdAt);
    return reading(await this.#parts.streams.logs(containerId, { tail, follow, since }));
  }

  async #stats({ username }: Extract<StreamTarget, { kind: "stats" }>): Promise<StreamSource> {
    const { containerId } = await this.#requireRunning(username);
    const stats = await this.#parts.streams.stats(containerId);
    const bytes = Readable.from(statsLines(stats), { objectMode: false });
    return {
      bytes,
      [Symbol.asyncDispose]() {
        stats.destroy();
        return Promise.resolve();
      },
    };
  }

  async #shell({ username, columns, rows }: Extract<StreamTarget, { kind: "shell" }>): Promise<StreamSource> {
    const { containerId } = await this.#requireRunning(username);
    const { streams } = this.#parts;
    const mark = randomUUID();
    const terminal = await streams.terminal(containerId, {
      command: SHELL,
      environment: { TERM: "xterm-256color", [MARK]: mark },
      workingDirectory: "/root",
      size: { columns, rows },
    });
    const { stream } = terminal;
    return {
      bytes: stream,
      resize: (size) => terminal.resize(size),
      async [Symbol.asyncDispose]() {
        const isOver = stream.readableEnded;
        stream.destroy();
        // The Engine lets a command run on whose terminal nobody looks at any more.
        if (!isOver) await streams.run(containerId, hangUp(mark)).catch(() => undefined);
      },
    };
  }

  async #tcp({ username, port }: Extract<StreamTarget, { kind: "tcp" }>): Promise<StreamSource> {
    const { base } = await this.#requireRunning(username);
    const { ssh, http, https } = portsOf(base);
    const published = { 22: ssh, 80: http, 443: https }[port];
    const socket = connect({ host: this.#parts.publishedHost, port: published, noDelay: true });
    try {
      await once(socket, "connect");
    } catch (cause) {
      throw new DockHostError("CONFLICT", `Nothing answers at port ${port} of ${username}'s container.`, { cause });
    }
    return reading(socket);
  }

  async #require(username: string): Promise<Owned> {
    await this.#parts.gate.pass();
    return this.#parts.inventory.requireStaying(username);
  }

  async #requireRunning(username: string): Promise<Owned> {
    const owned = await this.#require(username);
    if (isRunning(owned)) return owned;
    throw new DockHostError("CONFLICT", `${username}'s container does not run; start it first.`);
  }
}

const reading = (bytes: Readable): StreamSource => ({
  bytes,
  [Symbol.asyncDispose]() {
    bytes.destroy();
    return Promise.resolve();
  },
});

/** As a terminal does when its line is cut: SIGHUP to all that was started on it. */
const hangUp = (mark: string): string[] => [
  "/bin/sh",
  "-c",
  `for p in /proc/[0-9]*; do grep -qs "${MARK}=${mark}" "$p/environ" && kill -HUP "\${p#/proc/}"; done`,
];

async function* statsLines(stats: AsyncIterable<ContainerStats>): AsyncGenerator<Buffer> {
  let before: ContainerStats | undefined;
  for await (const now of stats) {
    if (before) yield Buffer.from(`${JSON.stringify(instanceStats(now, before))}\n`);
    before = now;
  }
}

function instanceStats({ at, cpuSeconds, ...sums }: ContainerStats, before: ContainerStats): InstanceStats {
  const seconds = (at.getTime() - before.at.getTime()) / 1000;
  const cpus = seconds > 0 ? Math.max(0, (cpuSeconds - before.cpuSeconds) / seconds) : 0;
  return { at: at.toISOString(), cpus, ...sums };
}
