import { appendFileSync } from "node:fs";
import { expect, inject } from "vitest";
import { FAULTS, type Fault } from "./ledger-faults.ts";

/** What of a fault was tried, and what it cost; a count that is not given is 0. */
interface Trial {
  fault: Fault;
  /** In place of the fault's own promise, where only a part of it was tried. */
  promise?: string;
  /** In place of the running test's name. */
  test?: string;
  /** How many times the fault was made. */
  runs: number;
  /** Containers that were promised and are gone, or are not as promised: data, ports, keys, or that they run. */
  lost?: number;
  /** Second containers of a user, and operations that were executed twice. */
  duplicated?: number;
  /** Containers, directories, images, networks and port triples that nobody knows any more. */
  orphaned?: number;
  /** Commands without a reply within their deadline, and users whose commands are no longer served. */
  hung?: number;
  /** Repeats the run, where chance had a part in it. */
  seed?: number;
}

/** Trials as they are gathered, added up and printed. */
export type LedgerRow = Required<Omit<Trial, "seed">> & { seeds: readonly number[] };

declare module "vitest" {
  interface ProvidedContext {
    /** The file that gathers one run's rows: test files run in processes of their own. */
    ledger: string;
  }
}

/** Puts a row into the table that the run prints at its end; rows of one fault, promise and test are added up. */
export function record(trial: Trial): void {
  const { fault, promise = FAULTS[fault], test = runningTest(), runs, seed } = trial;
  const { lost = 0, duplicated = 0, orphaned = 0, hung = 0 } = trial;
  const seeds = seed === undefined ? [] : [seed];
  const row: LedgerRow = { fault, promise, test, runs, lost, duplicated, orphaned, hung, seeds };
  appendFileSync(inject("ledger"), `${JSON.stringify(row)}\n`);
}

const runningTest = (): string => expect.getState().currentTestName ?? "outside of any test";
