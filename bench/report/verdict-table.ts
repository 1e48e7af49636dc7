import type { Bound } from "../bounds.ts";
import type { Verdict } from "../verdicts.ts";
import { table } from "./table.ts";

/** Each figure with its bound and how it stands to it. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const head = ["", "measured", "bound", "margin", "recorded", "verdict"];
  const lines = verdicts.map(({ bound, value, recorded, outcome }) => [
    bound.says,
    figure(value, bound),
    limit(bound),
    bound.atMost === undefined && bound.atLeast === undefined ? "" : figure(bound.margin, bound),
    figure(recorded, bound),
    outcome,
  ]);
  return table([head, ...lines]);
}

function limit(bound: Bound): string {
  if (bound.atMost !== undefined) return `≤ ${figure(bound.atMost, bound)}`;
  return bound.atLeast === undefined ? "" : `≥ ${figure(bound.atLeast, bound)}`;
}

function figure(value: number | undefined, { take }: Bound): string {
  if (value === undefined) return "–";
  return value.toFixed(take === "median" ? 1 : 3);
}
