import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { root } from "./run.mjs";

/** What the checkout's `.env` says goes for everything that is run here, beneath the environment. */
export function loadDotEnv() {
  const dotEnv = join(root, ".env");
  if (existsSync(dotEnv)) process.loadEnvFile?.(dotEnv); // Node 20.12 and newer
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {boolean} asRoot
 */
export function dataDirectory(env, asRoot) {
  if (env["DOCKHOST_DATA_DIR"]) return resolve(env["DOCKHOST_DATA_DIR"]);
  if (asRoot) return "/var/lib/dockhost";
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local/share"), "dockhost");
}
