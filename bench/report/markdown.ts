import type { Measurement, Row } from "../measurement.ts";
import type { Report, SectionReport } from "./report.ts";
import { digits, table } from "./table.ts";

/** As a document's section; its tables are readable as they stand, too. */
export function markdown({ machine, sections }: Report): string {
  const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  return ["This machine:", facts.join("\n"), ...sections.flatMap(sectionText)].join("\n\n");
}

const sectionText = ({ section, command, date, load, measurements }: SectionReport): string[] => [
  `### ${section}`,
  `\`${command}\`, ${date}, load at its start ${load.toFixed(1)}`,
  ...measurements.map(measurementText),
];

function measurementText(measurement: Measurement): string {
  const { title, rows, remark } = measurement;
  const parts = [`**${title}**`, ...(rows.length > 0 ? [tableText(measurement)] : []), ...(remark ? [remark] : [])];
  return parts.join("\n\n");
}

function tableText({ unit, rows, ratioMeans = "DockHost ÷ this" }: Measurement): string {
  const compared = rows.some(({ ratio }) => ratio);
  const paired = rows.some(({ ratio }) => ratio?.pairwise !== undefined);
  const head = ["", `median, ${unit}`, "p95", "n"];
  if (compared) head.push(ratioMeans);
  if (paired) head.push("round by round", "95 % sure");
  const lines = rows.map((row) => [
    ...cells(row),
    ...(compared ? [ratioCell(row)] : []),
    ...(paired ? pairedCells(row) : []),
  ]);
  return table([head, ...lines]);
}

const cells = ({ name, summary: { median, p95, samples } }: Row): string[] => [
  name,
  digits(median),
  digits(p95),
  `${samples}`,
];

const ratioCell = ({ ratio }: Row): string => ratio?.ofMedians.toFixed(2) ?? "";

function pairedCells({ ratio: { pairwise, interval } = { ofMedians: 0 } }: Row): string[] {
  return [pairwise?.toFixed(2) ?? "", interval ? `${interval.low.toFixed(2)}–${interval.high.toFixed(2)}` : ""];
}
