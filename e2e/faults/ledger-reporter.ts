import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import type { Reporter, TestRunEndReason, Vitest } from "vitest/node";
import { FAULTS } from "./ledger-faults.ts";
import type { LedgerRow } from "./ledger.ts";
import { COUNTS, markdownTable, readRows, terminalTable } from "./ledger-table.ts";

/**
 * Gathers what the tests of one run recorded, and prints it above the run's own summary. Where DOCKHOST_LEDGER_PAGE
 * names a file it also writes that page.
 */
export default class LedgerReporter implements Reporter {
  #folder = "";
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    this.#folder = mkdtempSync(join(tmpdir(), "dockhost-ledger-"));
    process.once("exit", () => rmSync(this.#folder, { recursive: true, force: true }));
    vitest.provide("ledger", this.#file);
  }

  onTestRunStart(): void {
    writeFileSync(this.#file, "");
  }

  async onTestRunEnd(_modules: unknown, _errors: unknown, reason: TestRunEndReason): Promise<void> {
    const rows = readRows(readFileSync(this.#file, "utf8"));
    if (rows.length > 0) this.#vitest?.logger.log(`\n${terminalTable(rows)}\n`);
    const page = process.env.DOCKHOST_LEDGER_PAGE;
    if (page !== undefined) await writePage(page, rows, reason);
  }

  get #file(): string {
    return join(this.#folder, "rows");
  }
}

async function writePage(path: string, rows: readonly LedgerRow[], reason: TestRunEndReason): Promise<void> {
  const options = await resolveConfig(path);
  writeFileSync(path, await format(page(rows, reason), { ...options, parser: "markdown" }));
}

const page = (rows: readonly LedgerRow[], reason: TestRunEndReason): string => `# Faults

What DockHost was put through, and what it cost. This page is written by the run itself:

\`\`\`sh
${process.env.DOCKHOST_LEDGER_COMMAND ?? "npm run soak"}
\`\`\`

- The run: ${reason}, on ${new Date().toISOString().slice(0, 10)}
- The machine: ${machine()}
- ${seeds(rows)}
- Altogether: ${sum(rows, "runs")} runs, ${COUNTS.map((name) => `${sum(rows, name)} ${name}`).join(", ")}
- Faults that this run did not make: ${unmade(rows)}

${markdownTable(rows)}

## The columns

- **fault**: what was done to a real backend process, Docker daemon, network, disk or clock
- **promise**: what is to hold all the same
- **test**: the test that looks; \`e2e/\` has it
- **runs**: how many times the fault was made
- **lost**: containers that were promised and are gone, or whose files, ports, keys or running are not as promised
- **duplicated**: second containers of one user, and operations that were executed twice
- **orphaned**: containers, directories, images, networks and port triples that nobody knows any more
- **hung**: commands without a reply within their deadline, and users whose commands are no longer served
`;

const sum = (rows: readonly LedgerRow[], name: "runs" | (typeof COUNTS)[number]): number =>
  rows.reduce((total, row) => total + row[name], 0);

function unmade(rows: readonly LedgerRow[]): string {
  const made = new Set<string>(rows.map(({ fault }) => fault));
  return (
    Object.keys(FAULTS)
      .filter((fault) => !made.has(fault))
      .join("; ") || "none"
  );
}

function seeds(rows: readonly LedgerRow[]): string {
  const known = new Set(rows.flatMap((row) => row.seeds));
  return known.size === 0 ? "Seeds: none, chance had no part in it" : `Seeds: ${[...known].join(", ")}`;
}

function machine(): string {
  const engine = execFileSync("docker", ["version", "--format", "{{.Server.Version}}"], { encoding: "utf8" }).trim();
  const processors = cpus();
  return `${processors.length} × ${processors[0]?.model.trim() ?? "processor"}, Docker Engine ${engine}, Node ${process.versions.node}`;
}
