import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Something that a person can mend: the message is one sentence that says how; details are the last lines of a tool's output. */
export class SetupProblem extends Error {
  /**
   * @param {string} sentence
   * @param {string} [details]
   */
  constructor(sentence, details = "") {
    super(sentence);
    this.details = details;
  }
}

/**
 * Runs `main` if the module at `moduleUrl` is the one that node was started with.
 * @param {string} moduleUrl
 * @param {() => Promise<unknown>} main
 */
export function runAsEntry(moduleUrl, main) {
  const started = process.argv[1];
  if (started === undefined || realpathSync(started) !== fileURLToPath(moduleUrl)) return;
  main().catch((/** @type {unknown} */ error) => {
    console.error(describe(error));
    process.exitCode = 1;
  });
}

/**
 * What a person reads of a failure: a stack trace only for faults of our own, and only where `DEBUG` asks.
 * @param {unknown} error
 */
export function describe(error) {
  if (!(error instanceof Error)) return `✗ ${String(error)}`;
  if (process.env["DEBUG"] && error.stack) return error.stack;
  const details = error instanceof SetupProblem ? error.details.trim() : "";
  return details === "" ? `✗ ${error.message}` : `${indent(details)}\n✗ ${error.message}`;
}

/** @param {string} text */
const indent = (text) => text.replace(/^/gm, "    ");
