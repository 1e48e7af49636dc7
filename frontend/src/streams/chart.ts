import uPlot from "uplot";
import { amount, roundTop } from "../parts/amounts.ts";
import { onThemeChange, pageColor } from "./page-colors.ts";

const HEIGHT_PX = 128;
const LABELS_PX = 72;
const FONT = "11px system-ui, sans-serif";
/** Of the series, in order; the dashes tell them apart without colour. */
export const STROKES = [
  { color: "accent", dash: [] },
  { color: "warn", dash: [4, 3] },
] as const;

interface ChartData {
  /** Unix time, s. */
  times: readonly number[];
  /** One list for each series, each as long as `times`. */
  values: readonly (readonly number[])[];
  /** Where the scale ends unless a value is greater. */
  max?: number | undefined;
  /** How much time is shown, in s; all that there is where it is not given. */
  span?: number | undefined;
}

/** Lines over time in `host`, in the page's colours and as wide as it. */
export class Chart {
  readonly #plot: uPlot;
  readonly #unit: string;
  readonly #cleanUp: (() => void)[];
  #window: [number, number] = [0, 1];
  #top = 1;

  constructor(host: HTMLElement, unit: string, seriesCount: number) {
    this.#unit = unit;
    const series = Array.from({ length: seriesCount }, (_, index) => line(index, seriesCount));
    const options: uPlot.Options = {
      width: host.clientWidth,
      height: HEIGHT_PX,
      // The last time reaches over the end.
      padding: [8, 24, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { range: () => this.#window }, y: { range: () => [0, this.#top] } },
      axes: [timeAxis(), this.#valueAxis()],
      series: [{}, ...series],
    };
    this.#plot = new uPlot(options, [[], ...series.map(() => [])], host);
    const observer = new ResizeObserver(() => this.#plot.setSize({ width: host.clientWidth, height: HEIGHT_PX }));
    observer.observe(host);
    this.#cleanUp = [
      onThemeChange(() => this.#plot.redraw(false)),
      () => observer.disconnect(),
      () => this.#plot.destroy(),
    ];
  }

  show({ times, values, max, span }: ChartData): void {
    this.#window = windowOf(times, span);
    const greatest = values.flat().reduce((most, value) => Math.max(most, value), 0);
    this.#top = max !== undefined && max >= greatest ? max : roundTop(greatest, this.#unit);
    this.#plot.setData([[...times], ...values.map((list) => [...list])]);
  }

  close(): void {
    for (const undo of this.#cleanUp) undo();
  }

  #valueAxis(): uPlot.Axis {
    return {
      font: FONT,
      stroke: () => pageColor("muted"),
      grid: { stroke: () => pageColor("line"), width: 1 },
      ticks: { show: false },
      size: LABELS_PX,
      splits: () => [0, this.#top / 2, this.#top],
      values: (_, splits) => splits.map((value) => amount(value, this.#unit)),
    };
  }
}

function timeAxis(): uPlot.Axis {
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  return {
    font: FONT,
    stroke: () => pageColor("muted"),
    grid: { show: false },
    ticks: { stroke: () => pageColor("line"), size: 4 },
    size: 28,
    space: 72,
    // Whole minutes alone can be told apart.
    incrs: [60, 120, 300, 600, 1_800, 3_600],
    values: (_, splits) => splits.map((time) => clock.format(time * 1000)),
  };
}

function line(index: number, count: number): uPlot.Series {
  const { color, dash } = STROKES[index % STROKES.length] ?? STROKES[0];
  return {
    stroke: () => pageColor(color),
    width: 1.5,
    dash: [...dash],
    points: { show: false },
    // Two grounds over each other would be a third colour.
    ...(count === 1 && { fill: () => `${pageColor(color)}22` }),
  };
}

const EMPTY_SPAN_S = 60;

function windowOf(times: readonly number[], span: number | undefined): [number, number] {
  const end = times.at(-1) ?? Date.now() / 1000;
  const all = end - (times[0] ?? end);
  return [end - (span ?? (all > 0 ? all : EMPTY_SPAN_S)), end];
}
