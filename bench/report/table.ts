/** Columns padded, text to the left and figures to the right; readable as it stands, too. */
export function table([head = [], ...lines]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string => `| ${cells.map(padded(widths)).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [row(head), `| ${rule.join(" | ")} |`, ...lines.map(row)].join("\n");
}

const padded = (widths: readonly number[]) => (cell: string, column: number) =>
  column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);

/** As many digits as mean something. */
export const digits = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
