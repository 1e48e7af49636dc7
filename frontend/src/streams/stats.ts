import type { InstanceStats } from "@dockhost/protocol";
import { LineSplitter } from "./line-splitter.ts";

/** How much of the past is kept, s. */
export const SPAN_S = 5 * 60;
const LINE_CHARS_MAX = 8 * 1024;

/** What an instance used at one moment, or since the sample before it. */
export interface Sample {
  /** Unix time, s. */
  time: number;
  /** Of one processor: 150 is one and a half. */
  cpuPercent: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  /** Bytes a second, like those that follow. */
  received: number;
  sent: number;
  read: number;
  written: number;
}

/** The last five minutes, out of the lines of a stats stream. */
export class StatsHistory {
  #splitter = new LineSplitter(LINE_CHARS_MAX);
  #before: InstanceStats | undefined;
  #samples: readonly Sample[] = [];

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** After a new connection, which begins with a whole line. */
  begin(): void {
    this.#splitter = new LineSplitter(LINE_CHARS_MAX);
  }

  add(bytes: Uint8Array): void {
    for (const line of this.#splitter.take(bytes)) this.#addLine(line);
  }

  #addLine(line: string): void {
    const now = statsIn(line);
    if (!now) return;
    const sample = this.#before && sampleBetween(this.#before, now);
    this.#before = now;
    if (!sample) return;
    this.#samples = [...this.#samples, sample].filter(({ time }) => time >= sample.time - SPAN_S);
  }
}

/** Undefined where no time has passed. After a restart sums begin anew: nothing can be said of them then but 0. */
function sampleBetween(before: InstanceStats, now: InstanceStats): Sample | undefined {
  const time = Date.parse(now.at) / 1000;
  const seconds = time - Date.parse(before.at) / 1000;
  if (!(seconds > 0)) return undefined;
  const rate = (sum: Sum): number => Math.max(0, now[sum] - before[sum]) / seconds;
  return {
    time,
    cpuPercent: now.cpus * 100,
    memoryBytes: now.memoryBytes,
    memoryLimitBytes: now.memoryLimitBytes,
    received: rate("networkReceivedBytes"),
    sent: rate("networkSentBytes"),
    read: rate("diskReadBytes"),
    written: rate("diskWrittenBytes"),
  };
}

type Sum = "networkReceivedBytes" | "networkSentBytes" | "diskReadBytes" | "diskWrittenBytes";

const NUMBERS = [
  "cpus",
  "memoryBytes",
  "memoryLimitBytes",
  "networkReceivedBytes",
  "networkSentBytes",
  "diskReadBytes",
  "diskWrittenBytes",
] as const satisfies readonly (keyof InstanceStats)[];

function statsIn(line: string): InstanceStats | undefined {
  try {
    const value = JSON.parse(line) as Partial<InstanceStats> | null;
    const isWhole = value && typeof value.at === "string" && NUMBERS.every((name) => Number.isFinite(value[name]));
    return isWhole ? (value as InstanceStats) : undefined;
  } catch {
    return undefined;
  }
}
