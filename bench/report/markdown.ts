import type { Measurement, Row } from "../measurement.ts";

/** The figures of one run. */
export interface Report {
  command: string;
  machine: Record<string, string>;
  measurements: readonly Measurement[];
}

/** As a document's section; its tables are readable as they stand, too. */
export function markdown({ command, machine, measurements }: Report): string {
  const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  return [`\`${command}\`, on this machine:`, facts.join("\n"), ...measurements.map(section)].join("\n\n");
}

function section({ title, unit, rows }: Measurement): string {
  const compared = rows.length > 1;
  const head = ["", `median, ${unit}`, "p95", "n", ...(compared ? ["DockHost ÷ this", "round by round"] : [])];
  const lines = rows.map((row) => [row.name, ...figures(row), ...(compared ? ratios(row) : [])]);
  return `**${title}**\n\n${table([head, ...lines])}`;
}

const figures = ({ summary: { median, p95, samples } }: Row): string[] => [digits(median), digits(p95), `${samples}`];

const ratios = ({ ratio }: Row): string[] =>
  ratio ? [ratio.ofMedians.toFixed(2), ratio.pairwise.toFixed(2)] : ["", ""];

const digits = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** Columns padded, text to the left and figures to the right. */
function table([head = [], ...lines]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string => `| ${cells.map(padded(widths)).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [row(head), `| ${rule.join(" | ")} |`, ...lines.map(row)].join("\n");
}

const padded = (widths: readonly number[]) => (cell: string, column: number) =>
  column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
