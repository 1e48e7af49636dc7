/** One round of one way: what each of its samples took. */
export type Round = readonly number[];

export interface Summary {
  samples: number;
  median: number;
  p95: number;
}

export interface Interval {
  low: number;
  high: number;
}

export interface Ratio {
  /** Of all samples' medians. */
  ofMedians: number;
  /**
   * Median of each round's own ratio: what slows the machine for a while slows both sides of it. Only where rounds
   * were run in pairs.
   */
  pairwise?: number;
  /** Where that median lies with 95 % confidence; undefined where there are too few rounds to tell. */
  interval?: Interval | undefined;
}

export function summary(rounds: readonly Round[]): Summary {
  const values = rounds.flat();
  return { samples: values.length, median: median(values), p95: quantile(values, 0.95) };
}

/** How much `ours` takes of what `baseline` takes; round by round they belong together. */
export function ratio(ours: readonly Round[], baseline: readonly Round[]): Ratio {
  if (ours.length !== baseline.length) throw new RangeError("Rounds are compared in pairs: both need as many.");
  const ratios = ours.map((round, index) => median(round) / median(baseline[index] ?? []));
  return { ...unpairedRatio(ours, baseline), pairwise: median(ratios), interval: medianInterval(ratios) };
}

/** The same where the rounds of the two were not run side by side. */
export function unpairedRatio(ours: readonly Round[], baseline: readonly Round[]): { ofMedians: number } {
  return { ofMedians: median(ours.flat()) / median(baseline.flat()) };
}

/**
 * Between which two samples the median of what they were drawn from lies with at least 95 % confidence, whatever its
 * distribution: as far from either end as half of all coins would fall. Undefined below six samples.
 */
export function medianInterval(values: readonly number[]): Interval | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const cut = samplesToCut(sorted.length);
  const [low, high] = [sorted[cut - 1], sorted[sorted.length - cut]];
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** The most samples, counted from one end, before fewer than which the median falls at most once in forty. */
function samplesToCut(samples: number): number {
  let probability = 2 ** -samples;
  let below = 0;
  let cut = 0;
  while (below + probability <= 0.025) {
    below += probability;
    probability *= (samples - cut) / (cut + 1);
    cut += 1;
  }
  return cut;
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
