import type { Measurement } from "../measurement.ts";

/** What does not change from run to run, one fact a line. */
export type Machine = Record<string, string>;

/** What one section of the bench found. */
export interface SectionReport {
  section: string;
  /** What prints it. */
  command: string;
  date: string;
  /** Of the machine, when the section began. */
  load: number;
  measurements: readonly Measurement[];
}

/** All figures of one machine. */
export interface Report {
  machine: Machine;
  sections: readonly SectionReport[];
}

export const measurementsOf = ({ sections }: Report): Measurement[] =>
  sections.flatMap(({ measurements }) => measurements);

/** The new sections in the place of the same ones in `recorded`; figures of two machines never stand side by side. */
export function merged(recorded: Report | undefined, report: Report, order: readonly string[]): Report {
  const isSame = recorded && JSON.stringify(recorded.machine) === JSON.stringify(report.machine);
  const kept = isSame ? recorded.sections.filter(({ section }) => !has(report, section)) : [];
  const sections = [...kept, ...report.sections];
  return {
    machine: report.machine,
    sections: sections.toSorted((a, b) => order.indexOf(a.section) - order.indexOf(b.section)),
  };
}

/** Without the single samples: what a reader of the page can take in. */
export function summarized({ machine, sections }: Report): Report {
  const short = ({ rows, ...measurement }: Measurement): Measurement => ({
    ...measurement,
    rows: rows.map(({ name, summary, ratio }) => ({ name, summary, ...(ratio && { ratio }) })),
  });
  return { machine, sections: sections.map((one) => ({ ...one, measurements: one.measurements.map(short) })) };
}

const has = ({ sections }: Report, wanted: string): boolean => sections.some(({ section }) => section === wanted);
