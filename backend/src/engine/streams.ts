import type { Duplex, Readable } from "node:stream";
import type { TerminalSize } from "@dockhost/protocol";

/** The streams that a container engine gives of a container. Every method rejects with an EngineError and nothing else. */
export interface EngineStreams {
  /** What it wrote since `since`, its last `tail` lines first, and what it writes from now on where `follow`. */
  logs(id: string, options: { tail: number; follow: boolean; since?: Date | undefined }): Promise<Readable>;
  /** What it uses, about once a second, for as long as it runs. */
  stats(id: string): Promise<AsyncIterable<ContainerStats> & { destroy(): void }>;
  /** Starts `command` in it, on a terminal. */
  terminal(id: string, order: TerminalOrder): Promise<EngineTerminal>;
  /** Runs `command` in it to its end, unheard. */
  run(id: string, command: readonly string[]): Promise<void>;
}

export interface TerminalOrder {
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  workingDirectory: string;
  size: TerminalSize;
}

export interface EngineTerminal {
  /** Ends when its command has ended. Destroying it ends no command. */
  readonly stream: Duplex;
  resize(size: TerminalSize): Promise<void>;
}

/** Sums count from the container's start. */
export interface ContainerStats {
  at: Date;
  /** Processor time, in seconds of one processor. */
  cpuSeconds: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  networkReceivedBytes: number;
  networkSentBytes: number;
  diskReadBytes: number;
  diskWrittenBytes: number;
  processes: number;
}
