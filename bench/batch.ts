import { timed } from "./interleave.ts";
import type { Round } from "./statistics.ts";
import type { Way } from "./ways/way.ts";

/** Begins so many creates at once; what each took. Their removal is not measured. */
export async function timeBatch(way: Way, size: number): Promise<Round> {
  const attempts = await Promise.all(Array.from({ length: size }, () => way.prepare()));
  const times = await allEnded(attempts.map((attempt) => timed(() => attempt.create())));
  await allEnded(attempts.map((attempt) => attempt.remove()));
  return times;
}

/** Works through `items`, so many at once. */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for (let begin = 0; begin < items.length; begin += size) {
    await allEnded(items.slice(begin, begin + size).map(work));
  }
}

/** As Promise.all, but a failure is told only when all have ended, so that nothing goes on behind it. */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
