import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "./apt.mjs";
import { build } from "./build.mjs";
import { dataDirectory, loadDotEnv } from "./data-directory.mjs";
import { end, root } from "./run.mjs";

/**
 * Runs one of the main server's commands on the data directory that `npm start` uses, with our own arguments; files in
 * them are named from where the person stands, which npm leaves.
 * @param {string} command file below the root
 */
export async function operate(command) {
  if (!existsSync(join(root, command))) await build();
  loadDotEnv();
  const args = ["--data-dir", dataDirectory(process.env, isRoot()), ...process.argv.slice(2)];
  const cwd = process.env["INIT_CWD"] || process.cwd();
  const child = spawn(process.execPath, [join(root, command), ...args], { cwd, stdio: "inherit" });
  process.exitCode = (await end(child)).code;
}
