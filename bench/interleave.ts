import { setTimeout as delay } from "node:timers/promises";
import type { Round } from "./statistics.ts";

/** What the Engine still does after a delete has been answered must not fall into the next one's time, ms. */
const REST_MS = 150;

export interface Timed {
  name: string;
  /** One round: what each of its samples took. */
  round: () => Promise<Round>;
}

export interface Pace {
  rounds: number;
  warmUp: number;
  /** No further round is begun once it is aborted. */
  signal: AbortSignal;
  onRound: (done: number) => void;
}

/** Runs the ways in turn, each first as often as the others, so that all meet the same machine. */
export async function interleave(
  ways: readonly Timed[],
  { rounds, warmUp, signal, onRound }: Pace,
): Promise<{ name: string; rounds: Round[] }[]> {
  const results = ways.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (let number = -warmUp; number < rounds; number += 1) {
    for (const index of rotated(ways.length, number + warmUp)) {
      signal.throwIfAborted();
      const samples = await ways[index]?.round();
      if (samples && number >= 0) results[index]?.rounds.push(samples);
      await delay(REST_MS);
    }
    if (number >= 0) onRound(number + 1);
  }
  return results;
}

const rotated = (length: number, by: number): number[] => Array.from({ length }, (_, index) => (index + by) % length);

/** Runs `work` and answers how long it took, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** As Promise.all, but a failure is told only when all have ended, so that nothing goes on behind it. */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
