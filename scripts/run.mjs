import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupProblem } from "./problem.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] added to our own
 * @property {number} [timeoutMs]
 * @property {number} [silenceMs] how long it may take until its first output
 */

/**
 * Runs a program quietly and answers what it wrote to stdout.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>}
 * @throws {SetupProblem} with the last lines of its output, where it fails or takes too long
 */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let everything = "";
  const silence = killAfter(child, options.silenceMs);
  const deadline = killAfter(child, options.timeoutMs);
  child.stdout.on("data", (/** @type {Buffer} */ chunk) => {
    clearTimeout(silence);
    stdout += chunk.toString();
    everything += chunk.toString();
  });
  child.stderr.on("data", (/** @type {Buffer} */ chunk) => (everything += chunk.toString()));

  const ended = await end(child);
  clearTimeout(silence);
  clearTimeout(deadline);
  if (ended.code === 0) return stdout;
  throw new SetupProblem(`${shown(command, args)} ${ended.how}.`, lastLines(everything));
}

/**
 * Runs a program on the person's own terminal and answers its exit code, however it is asked to end.
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function runInForeground(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit" });
  const passOn = () => child.kill("SIGTERM");
  // A terminal tells both of a Ctrl-C.
  const stay = () => undefined;
  process.on("SIGTERM", passOn).on("SIGINT", stay);
  const { code } = await end(child);
  process.off("SIGTERM", passOn).off("SIGINT", stay);
  return code;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function succeeds(command, args) {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/**
 * Where a program is found, or undefined.
 * @param {string} program
 * @param {string} [path]
 */
export function which(program, path = process.env["PATH"] ?? "") {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/**
 * @param {string} text
 * @param {number} [count]
 */
export const lastLines = (text, count = 15) => text.trim().split("\n").slice(-count).join("\n");

/**
 * How a child ended, as a code and as words that follow its name.
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<{ code: number, how: string }>}
 */
export function end(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 127, how: `could not be started (${error.message})` }));
    child.once("close", (code, signal) =>
      resolve({ code: code ?? 1, how: signal ? `was ended by ${signal}` : `ended with exit code ${code ?? 1}` }),
    );
  });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {number | undefined} milliseconds
 */
const killAfter = (child, milliseconds) =>
  milliseconds === undefined ? undefined : setTimeout(() => child.kill(), milliseconds);

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
const shown = (command, args) => `"${[command, ...args.slice(0, 2)].join(" ")}${args.length > 2 ? " …" : ""}"`;

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
