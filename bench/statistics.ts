/** One round of one way: what each of its samples took. */
export type Round = readonly number[];

export interface Summary {
  samples: number;
  median: number;
  p95: number;
}

export interface Ratio {
  /** Of all samples' medians. */
  ofMedians: number;
  /** Median of each round's own ratio: what slows the machine for a while slows both sides of it. */
  pairwise: number;
}

export function summary(rounds: readonly Round[]): Summary {
  const values = rounds.flat();
  return { samples: values.length, median: median(values), p95: quantile(values, 0.95) };
}

/** How much `ours` takes of what `baseline` takes; round by round they belong together. */
export function ratio(ours: readonly Round[], baseline: readonly Round[]): Ratio {
  if (ours.length !== baseline.length) throw new RangeError("Rounds are compared in pairs: both need as many.");
  return {
    ofMedians: median(ours.flat()) / median(baseline.flat()),
    pairwise: median(ours.map((round, index) => median(round) / median(baseline[index] ?? []))),
  };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Linear between the two nearest samples. Throws RangeError where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new RangeError("No samples.");
  return below + (above - below) * (position - Math.floor(position));
}
