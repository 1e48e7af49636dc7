import { describe, expect, it } from "vitest";
import { merged, summarized, type Report } from "./report.ts";

const ORDER = ["create", "list", "startup"];

describe("report of the bench", () => {
  it("puts new sections in the place of the recorded ones, and keeps the others in order", () => {
    const found = merged(
      report("here", ["create", "startup"], "2025"),
      report("here", ["list", "create"], "2026"),
      ORDER,
    );
    expect(found.sections.map(({ section, date }) => `${section} ${date}`)).toEqual([
      "create 2026",
      "list 2026",
      "startup 2025",
    ]);
  });

  it("keeps nothing of another machine", () => {
    const found = merged(report("there", ["create"], "2025"), report("here", ["list"], "2026"), ORDER);
    expect(found).toEqual(report("here", ["list"], "2026"));
  });

  it("begins where nothing is recorded", () => {
    expect(merged(undefined, report("here", ["list"], "2026"), ORDER)).toEqual(report("here", ["list"], "2026"));
  });

  it("records no single samples", () => {
    const [row] = summarized(report("here", ["list"], "2026")).sections[0]?.measurements[0]?.rows ?? [];
    expect(row).toEqual({ name: "raw", summary: { samples: 2, median: 1.5, p95: 2 } });
  });
});

function report(processor: string, sections: readonly string[], date: string): Report {
  const row = { name: "raw", summary: { samples: 2, median: 1.5, p95: 2 }, rounds: [[1], [2]] };
  const measurements = [{ title: "T", unit: "ms" as const, rows: [row] }];
  return {
    machine: { Processor: processor },
    sections: sections.map((section) => ({ section, command: "npm run bench", date, load: 0, measurements })),
  };
}
