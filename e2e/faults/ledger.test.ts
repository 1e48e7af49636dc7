import { describe, expect, test } from "vitest";
import { FAULTS } from "./ledger-faults.ts";
import { markdownTable, readRows, terminalTable } from "./ledger-table.ts";
import type { LedgerRow } from "./ledger.ts";

const row = (change: Partial<LedgerRow>): LedgerRow => ({
  fault: "disk full",
  promise: FAULTS["disk full"],
  test: "a full disk",
  runs: 1,
  lost: 0,
  duplicated: 0,
  orphaned: 0,
  hung: 0,
  seeds: [],
  ...change,
});

const written = (...rows: readonly LedgerRow[]): string => rows.map((one) => `${JSON.stringify(one)}\n`).join("");

describe("the ledger", () => {
  test("adds up what one test recorded of one fault, and keeps others apart", () => {
    const text = written(row({ runs: 2, lost: 1 }), row({ runs: 3, hung: 4 }), row({ test: "another", runs: 7 }));
    expect(readRows(text)).toEqual([row({ runs: 5, lost: 1, hung: 4 }), row({ test: "another", runs: 7 })]);
  });

  test("keeps the seed of each run that it adds up, once", () => {
    const text = written(row({ seeds: [7] }), row({ seeds: [8] }), row({}), row({ seeds: [7] }));
    expect(readRows(text)).toEqual([row({ runs: 4, seeds: [7, 8] })]);
  });

  test("tells faults in one order, whichever was made first", () => {
    const text = written(row({ fault: "clock jumps" }), row({}), row({ fault: "Docker daemon hangs" }));
    expect(readRows(text).map(({ fault }) => fault)).toEqual(["Docker daemon hangs", "disk full", "clock jumps"]);
  });

  test("lines the counts up on a terminal, and puts a row into one line of the page", () => {
    const rows = [row({ test: "a | b", runs: 5, lost: 1, duplicated: 2, orphaned: 3, hung: 4 })];
    const [head, fault, promise, figures] = terminalTable(rows).split("\n");
    expect(head).toMatch(/runs +lost +duplicated +orphaned +hung$/);
    expect([fault, promise]).toEqual(["disk full", `  → ${FAULTS["disk full"]}`]);
    expect(figures).toMatch(/^ {4}a \| b +5 +1 +2 +3 +4$/);
    expect(markdownTable(rows).split("\n")[2]).toBe(
      "| disk full | a clear CAPACITY, nothing half made | a \\| b | 5 | 1 | 2 | 3 | 4 |",
    );
  });
});
