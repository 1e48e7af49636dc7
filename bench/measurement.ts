import { ratio, summary, unpairedRatio, type Ratio, type Round, type Summary } from "./statistics.ts";

export interface Row {
  name: string;
  summary: Summary;
  ratio?: Ratio;
  /** All that was measured, round by round. */
  rounds?: readonly Round[];
}

/** One table of figures. */
export interface Measurement {
  title: string;
  unit: "ms" | "KiB" | "MiB";
  rows: Row[];
  /** What each row's ratio means: DockHost ÷ this where it is not said. */
  ratioMeans?: string;
  /** What its reader must know besides; the reason, where there are no rows. */
  remark?: string;
}

export interface Measured {
  name: string;
  rounds: readonly Round[];
}

/** The rounds of each way, run in turn: ours first, and below it what it is compared with. */
export function measurement(title: string, unit: Measurement["unit"], ways: readonly Measured[]): Measurement {
  const [ours] = ways;
  return {
    title,
    unit,
    rows: ways.map((way) => row(way, ours && way !== ours ? ratio(ours.rounds, way.rounds) : undefined)),
  };
}

/** One way under several circumstances, each compared with the first, which was not run side by side with it. */
export function circumstances(title: string, unit: Measurement["unit"], all: readonly Measured[]): Measurement {
  const [first] = all;
  return {
    title,
    unit,
    ratioMeans: `this ÷ ${first?.name ?? "the first"}`,
    rows: all.map((one) => row(one, first && one !== first ? unpairedRatio(one.rounds, first.rounds) : undefined)),
  };
}

/** Figures that stand for themselves. */
export function figures(title: string, unit: Measurement["unit"], all: readonly Measured[]): Measurement {
  return { title, unit, rows: all.map((one) => row(one, undefined)) };
}

/** Of each round only the time until its last sample was done. */
export const untilLast = ({ name, rounds }: Measured): Measured => ({
  name,
  rounds: rounds.map((round) => [Math.max(...round)]),
});

/** In a table's place, why it is not there. */
export const leftOut = (title: string, remark: string): Measurement => ({ title, unit: "ms", rows: [], remark });

const row = ({ name, rounds }: Measured, compared: Ratio | undefined): Row => ({
  name,
  summary: summary(rounds),
  ...(compared && { ratio: compared }),
  rounds,
});
