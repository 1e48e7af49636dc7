import type { InstanceStats } from "@dockhost/protocol";
import { describe, expect, it } from "vitest";
import { SPAN_S, StatsHistory } from "./stats.ts";

const START_MS = Date.parse("2026-11-24T15:00:00.000Z");

const stats = (second: number, change: Partial<InstanceStats> = {}): InstanceStats => ({
  at: new Date(START_MS + second * 1000).toISOString(),
  cpus: 0,
  memoryBytes: 0,
  memoryLimitBytes: 0,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  processes: 1,
  ...change,
});

const told = (history: StatsHistory, line: unknown): void =>
  history.add(new TextEncoder().encode(`${JSON.stringify(line)}\n`));

describe("StatsHistory", () => {
  it("tells what was used in a second out of sums, and processors in percent", () => {
    const history = new StatsHistory();
    told(history, stats(0, { networkReceivedBytes: 1_000, diskWrittenBytes: 50 }));
    told(history, stats(2, { cpus: 1.5, memoryBytes: 7, networkReceivedBytes: 5_000, diskWrittenBytes: 150 }));
    expect(history.samples).toEqual([
      {
        time: START_MS / 1000 + 2,
        cpuPercent: 150,
        memoryBytes: 7,
        memoryLimitBytes: 0,
        received: 2_000,
        sent: 0,
        read: 0,
        written: 50,
      },
    ]);
  });

  it("keeps the last five minutes", () => {
    const history = new StatsHistory();
    for (let second = 0; second <= SPAN_S + 50; second += 1) told(history, stats(second));
    expect(history.samples.at(0)?.time).toBe(START_MS / 1000 + 50);
    expect(history.samples.at(-1)?.time).toBe(START_MS / 1000 + SPAN_S + 50);
  });

  it("takes no restart for less than nothing", () => {
    const history = new StatsHistory();
    told(history, stats(0, { networkSentBytes: 9_000 }));
    told(history, stats(1, { networkSentBytes: 10 }));
    expect(history.samples.at(-1)?.sent).toBe(0);
  });

  it("goes on after a connection that broke in the middle of a line", () => {
    const history = new StatsHistory();
    told(history, stats(0));
    history.add(new TextEncoder().encode('{"at":"2026'));
    history.begin();
    told(history, stats(1));
    expect(history.samples).toHaveLength(1);
  });

  it("passes over what is no measurement, and what has come before", () => {
    const history = new StatsHistory();
    told(history, stats(1));
    for (const line of [null, 7, {}, { ...stats(2), cpus: "many" }, stats(1), stats(0)]) told(history, line);
    history.add(new TextEncoder().encode("not JSON\n"));
    expect(history.samples).toEqual([]);
  });
});
