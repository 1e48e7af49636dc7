import { ratio, summary, type Ratio, type Round, type Summary } from "./statistics.ts";

export interface Row {
  name: string;
  summary: Summary;
  /** What the first row takes of this one. */
  ratio?: Ratio;
}

/** One table of figures: ours in the first row, what it is compared with below. */
export interface Measurement {
  title: string;
  unit: "ms" | "KiB" | "MiB";
  rows: Row[];
}

/** The rounds of each way, the first of which is ours. */
export function measurement(
  title: string,
  unit: Measurement["unit"],
  ways: readonly { name: string; rounds: readonly Round[] }[],
): Measurement {
  const [ours] = ways;
  const rows = ways.map(({ name, rounds }) => ({
    name,
    summary: summary(rounds),
    ...(ours && rounds !== ours.rounds && { ratio: ratio(ours.rounds, rounds) }),
  }));
  return { title, unit, rows };
}
