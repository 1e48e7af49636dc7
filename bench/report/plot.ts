import type { Measurement, Row } from "../measurement.ts";
import { BURST, OURS, RAW, TITLES } from "../titles.ts";
import type { Bars, Lines, Panel } from "./svg.ts";

const AT_ONCE = [1, 2, 4, 8];

/** The panels for what was measured; what was not is left out. */
export function panelsOf(measurements: readonly Measurement[]): Panel[] {
  const rowsOf = (title: string): readonly Row[] => measurements.find((one) => one.title === title)?.rows ?? [];
  const inGroups = (titles: readonly (readonly [string, string])[]): Bars["groups"] =>
    titles.map(([name, title]) => ({ name, bars: rowsOf(title).map(bar) })).filter(({ bars }) => bars.length > 0);
  const amongOf = (name: string, title: string): Lines["series"][number] => ({ name, points: pointsOf(rowsOf(title)) });
  const panels: Panel[] = [
    {
      kind: "bars",
      title: "Create until SSH answers, so many at a time",
      unit: "ms",
      groups: inGroups(AT_ONCE.map((n) => [`${n}`, TITLES.create(n)])),
    },
    {
      kind: "bars",
      title: "… until all of them are done",
      unit: "ms",
      groups: inGroups(AT_ONCE.map((n) => [`${n}`, TITLES.allCreated(n)])),
    },
    {
      kind: "bars",
      title: "Create from a warm pool",
      unit: "ms",
      groups: inGroups([["one at a time", TITLES.claim]]),
    },
    {
      kind: "bars",
      title: `${BURST} users at once on a pool of ${BURST}`,
      unit: "ms",
      groups: inGroups([
        ["each", TITLES.burst(BURST)],
        ["all of them", TITLES.burstDone(BURST)],
      ]),
    },
    {
      kind: "lines",
      title: "Create among others: ours from a warm pool",
      unit: "ms",
      along: "containers present",
      series: [amongOf(OURS, TITLES.claimAmong), amongOf(RAW, TITLES.rawAmong)],
    },
    {
      kind: "lines",
      title: "List of all containers",
      unit: "ms",
      along: "containers present",
      series: [amongOf(OURS, TITLES.listAmong)],
    },
  ];
  return panels.filter(hasSomething).map(withoutEmptySeries);
}

const bar = ({ name, summary: { median, p95 } }: Row): Bars["groups"][number]["bars"][number] => ({
  series: name,
  value: median,
  upTo: p95,
});

/** By the number in the row's name; "with none" has no number. */
const pointsOf = (rows: readonly Row[]): { x: number; y: number }[] =>
  rows.map(({ name, summary }) => ({ x: Number(/\d+/.exec(name)?.[0] ?? 0), y: summary.median }));

const hasSomething = (panel: Panel): boolean =>
  panel.kind === "bars" ? panel.groups.length > 0 : panel.series.some(({ points }) => points.length > 0);

const withoutEmptySeries = (panel: Panel): Panel =>
  panel.kind === "bars" ? panel : { ...panel, series: panel.series.filter(({ points }) => points.length > 0) };
