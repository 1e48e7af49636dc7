import { useEffect, useRef } from "react";
import "uplot/dist/uPlot.min.css";
import { amount } from "../parts/amounts.ts";
import { Chart, STROKES } from "./chart.ts";
import { summary, type NamedValues } from "./summary.ts";

interface PlotProps {
  title: string;
  /** Behind each number; of "B" and "B/s" with the prefix that fits. */
  unit: string;
  /** At most two can be told apart; each has one value for each of `times`. */
  series: readonly NamedValues[];
  /** Unix time, s. */
  times: readonly number[];
  /** Where the scale ends unless a value is greater. */
  max?: number;
  /** How much time is shown, in s; all that there is where it is not given. */
  span?: number;
}

/** A small chart over time, and what it shows in words. */
export function Plot({ title, unit, series, times, max, span }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(undefined);
  useEffect(() => {
    if (!host.current) return undefined;
    const made = new Chart(host.current, unit, series.length);
    chart.current = made;
    return () => made.close();
  }, [unit, series.length]);
  useEffect(() => {
    chart.current?.show({ times, values: series.map(({ values }) => values), max, span });
  }, [unit, series, times, max, span]);
  return (
    <figure className="grid min-w-0 gap-2 rounded-lg border border-line bg-surface p-4">
      <figcaption className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <span className="font-semibold">{title}</span>
        <span className="flex flex-wrap gap-x-4 text-sm leading-6 tabular-nums">
          {series.map(({ name, values }, index) => (
            <Now key={name} name={series.length > 1 ? name : undefined} index={index} told={last(values, unit)} />
          ))}
        </span>
      </figcaption>
      <div role="img" aria-label={summary(title, series, unit)} className="h-32 min-w-0 overflow-hidden">
        <div ref={host} className="h-32" />
      </div>
    </figure>
  );
}

function Now({ name, index, told }: { name: string | undefined; index: number; told: string }) {
  const { color, dash } = STROKES[index % STROKES.length] ?? STROKES[0];
  const style = dash.length > 0 ? "dashed" : "solid";
  return (
    <span className="inline-flex items-center gap-1.5">
      {name !== undefined && (
        <>
          <span
            aria-hidden
            className="w-4 border-t-2"
            style={{ borderColor: `var(--color-${color})`, borderStyle: style }}
          />
          <span className="text-muted">{name}</span>
        </>
      )}
      <span>{told}</span>
    </span>
  );
}

function last(values: readonly number[], unit: string): string {
  const value = values.at(-1);
  return value === undefined ? "–" : amount(value, unit);
}
