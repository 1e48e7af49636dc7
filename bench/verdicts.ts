import { REGRESSION, type Bound } from "./bounds.ts";
import type { Measurement } from "./measurement.ts";

export interface Verdict {
  bound: Bound;
  value: number | undefined;
  /** The same figure as it was recorded last, where it is a ratio: milliseconds of another machine mean nothing. */
  recorded: number | undefined;
  outcome: "holds" | "holds within the margin" | "BROKEN" | "WORSE THAN RECORDED" | "NOT MEASURED";
}

/** Holds each figure that was to be measured against its bound, and against what was recorded of it. */
export function judge(
  bounds: readonly Bound[],
  measured: readonly Measurement[],
  recorded: readonly Measurement[],
): Verdict[] {
  return bounds.map((bound) => {
    const value = figureOf(bound, measured);
    const before = bound.take === "median" ? undefined : figureOf(bound, recorded);
    return { bound, value, recorded: before, outcome: outcomeOf(bound, value, before) };
  });
}

export const isGood = ({ outcome }: Verdict): boolean => outcome.startsWith("holds");

function figureOf({ table, row, take }: Bound, measurements: readonly Measurement[]): number | undefined {
  const found = measurements.find(({ title }) => title === table)?.rows.find(({ name }) => name === row);
  if (take === "median") return found?.summary.median;
  const ratio = found?.ratio?.pairwise ?? found?.ratio?.ofMedians;
  return ratio !== undefined && take === "inverse" ? 1 / ratio : ratio;
}

function outcomeOf(bound: Bound, value: number | undefined, recorded: number | undefined): Verdict["outcome"] {
  if (value === undefined) return "NOT MEASURED";
  const beyond = beyondBound(bound, value);
  if (beyond > bound.margin) return "BROKEN";
  if (recorded !== undefined && isWorse(bound, value, recorded)) return "WORSE THAN RECORDED";
  return beyond > 0 ? "holds within the margin" : "holds";
}

const beyondBound = ({ atMost = Infinity, atLeast = -Infinity }: Bound, value: number): number =>
  Math.max(value - atMost, atLeast - value);

function isWorse({ take }: Bound, value: number, recorded: number): boolean {
  const worse = take === "inverse" ? recorded - value : value - recorded;
  return worse > REGRESSION.least && worse > recorded * REGRESSION.share;
}
