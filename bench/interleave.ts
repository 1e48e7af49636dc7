import { setTimeout as delay } from "node:timers/promises";
import type { Round } from "./statistics.ts";
import { turns } from "./turns.ts";

/** What the Engine still does after a delete has been answered must not fall into the next one's time, ms. */
const REST_MS = 150;

export interface Timed {
  name: string;
  /** One round: what each of its samples took. */
  round: () => Promise<Round>;
}

export interface Pace {
  /** Made up to as many as let each way have each turn equally often. */
  rounds: number;
  warmUp: number;
  /** No further round is begun once it is aborted. */
  signal: AbortSignal;
  /** Told how many of all rounds are done. */
  onRound: (done: number, of: number) => void;
}

/** Runs the ways in turn, each first as often as the others and after each other one, so that all meet the same machine. */
export async function interleave(
  ways: readonly Timed[],
  { rounds: wanted, warmUp, signal, onRound }: Pace,
): Promise<{ name: string; rounds: Round[] }[]> {
  const orders = turns(ways.length);
  const rounds = Math.ceil(wanted / orders.length) * orders.length;
  const results = ways.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (let number = -warmUp; number < rounds; number += 1) {
    for (const index of orders[(number + warmUp) % orders.length] ?? []) {
      signal.throwIfAborted();
      const samples = await ways[index]?.round();
      if (samples && number >= 0) results[index]?.rounds.push(samples);
      await delay(REST_MS);
    }
    if (number >= 0) onRound(number + 1, rounds);
  }
  return results;
}

/** Runs `work` and answers how long it took, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
