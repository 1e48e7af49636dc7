import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./run.mjs";
import { step } from "./steps.mjs";

/** @typedef {{ packages?: Record<string, { version?: string, optional?: boolean }> }} Lockfile */

/** npm's packages, exactly as the lockfile names them. */
export async function packages() {
  await step("packages", async (announce) => {
    const wanted = readLock(join(root, "package-lock.json"));
    // npm writes this file last, and lists in it what it has really installed.
    const installed = join(root, "node_modules/.package-lock.json");
    if (existsSync(installed) && installedMatches(wanted, readLock(installed))) return "already there";

    announce("installing npm's packages (about half a minute)");
    const [command, ...args] = npmCommand();
    await run(command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    return "installed";
  });
}

/**
 * Whether every package of the lockfile is installed in its version. Optional ones depend on the platform.
 * @param {Lockfile} wanted
 * @param {Lockfile} installed
 */
export function installedMatches(wanted, installed) {
  return Object.entries(wanted.packages ?? {})
    .filter(([path, { optional }]) => path !== "" && optional !== true)
    .every(([path, { version }]) => {
      const found = installed.packages?.[path];
      return found !== undefined && found.version === version;
    });
}

/**
 * @param {string} file
 * @returns {Lockfile}
 */
const readLock = (file) => JSON.parse(readFileSync(file, "utf8"));

// Under `npm start` the very npm that runs us serves; else the one on the PATH.
/** @returns {[string, ...string[]]} */
function npmCommand() {
  const own = process.env["npm_execpath"];
  return own?.endsWith("npm-cli.js") ? [process.execPath, own] : ["npm"];
}
