import { FAULTS } from "./ledger-faults.ts";
import type { LedgerRow } from "./ledger.ts";

export const COUNTS = ["lost", "duplicated", "orphaned", "hung"] as const;
const FIGURES = ["runs", ...COUNTS] as const;
const COLUMNS = ["fault", "promise", "test", "runs", ...COUNTS] as const;

/** The rows of a ledger file, those of one fault, promise and test added up, in the order of the faults. */
export function readRows(text: string): LedgerRow[] {
  const rows = new Map<string, LedgerRow>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const row = JSON.parse(line) as LedgerRow;
    const key = JSON.stringify([row.fault, row.promise, row.test]);
    rows.set(key, added(rows.get(key), row));
  }
  const order = Object.keys(FAULTS);
  return [...rows.values()].sort((one, other) => order.indexOf(one.fault) - order.indexOf(other.fault));
}

function added(sum: LedgerRow | undefined, row: LedgerRow): LedgerRow {
  if (!sum) return row;
  const counts = FIGURES.map((name) => [name, sum[name] + row[name]]);
  const seeds = [...new Set([...sum.seeds, ...row.seeds])];
  return { ...row, seeds, ...(Object.fromEntries(counts) as Pick<LedgerRow, "runs" | (typeof COUNTS)[number]>) };
}

/** A fault, below it what is promised under it, and below that a line of figures for each test that made it. */
export function terminalTable(rows: readonly LedgerRow[]): string {
  const width = Math.max(...rows.map(({ test }) => test.length)) + 4;
  const head = "Faults made, and what they cost".padEnd(width) + figures(FIGURES);
  const lines = rows.flatMap((row, index) => {
    const before = rows[index - 1];
    const fault = before?.fault === row.fault ? [] : [row.fault];
    const promise = before?.promise === row.promise && fault.length === 0 ? [] : [`  → ${row.promise}`];
    return [...fault, ...promise, `    ${row.test}`.padEnd(width) + figures(FIGURES.map((name) => row[name]))];
  });
  return [head, ...lines].join("\n");
}

const figures = (columns: readonly (string | number)[]): string =>
  columns.map((column) => String(column).padStart(12)).join("");

export function markdownTable(rows: readonly LedgerRow[]): string {
  const cells = rows.map((row) => COLUMNS.map((column) => String(row[column]).replaceAll("|", "\\|")));
  const right = (column: (typeof COLUMNS)[number]) => (["fault", "promise", "test"].includes(column) ? "---" : "--:");
  return [[...COLUMNS], COLUMNS.map(right), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");
}
