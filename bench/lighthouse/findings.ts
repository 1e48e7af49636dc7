import { table } from "../report/table.ts";
import { median } from "../statistics.ts";
import type { Judgement } from "./lighthouse.ts";

/** What each view has to be, on a phone and at a desk. */
const LEAST_SCORE = 95;
const MOST_KIB = 200;

export interface Finding extends Judgement {
  /** What was looked at. */
  name: string;
}

/** Of several looks at the same: one of them alone may have been disturbed. */
export const found = (name: string, looks: readonly Judgement[]): Finding => ({
  name,
  performance: median(looks.map(({ performance }) => performance)),
  accessibility: median(looks.map(({ accessibility }) => accessibility)),
  firstLoadKiB: median(looks.map(({ firstLoadKiB }) => firstLoadKiB)),
});

export const isGood = ({ performance, accessibility, firstLoadKiB }: Finding): boolean =>
  performance >= LEAST_SCORE && accessibility >= LEAST_SCORE && firstLoadKiB <= MOST_KIB;

export function findingsTable(findings: readonly Finding[]): string {
  const head = ["", "performance", "accessibility", "first load, KiB", ""];
  const lines = findings.map((finding) => [
    finding.name,
    `${finding.performance}`,
    `${finding.accessibility}`,
    finding.firstLoadKiB.toFixed(0),
    isGood(finding) ? "good" : "short",
  ]);
  return table([head, ...lines]);
}

export const LIMITS = `Scores from ${LEAST_SCORE}, at most ${MOST_KIB} KiB.`;
