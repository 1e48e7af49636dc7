import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { SetupProblem } from "./problem.mjs";
import { run, succeeds, which } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

const policyFile = "/usr/sbin/policy-rc.d";
const env = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };

/** Whether this machine installs its software with apt. */
export const hasApt = () => which("apt-get") !== undefined;

export const isRoot = () => process.getuid?.() === 0;

/**
 * Installs Debian packages, after asking where somebody sits at a terminal.
 * @param {readonly string[]} names
 * @param {string} what what they are, for a person
 * @param {Announce} announce
 */
export async function aptInstall(names, what, announce) {
  const command = `apt-get install ${names.join(" ")}`;
  if (!isRoot()) throw new SetupProblem(`${what} is missing: run "sudo ${command}", then this again.`);
  if (!(await agreed(`${what} is missing. Install it now (${command})?`))) {
    throw new SetupProblem(`${what} is missing: install it (${command}), then run this again.`);
  }

  announce(`installing ${what} (${names.join(", ")})`);
  if (!hasPackageLists()) await aptGet(["update"]);
  const forbid = forbidServiceStarts();
  try {
    await installWithFreshLists(names);
  } finally {
    forbid.end();
  }
}

/**
 * @param {string} name
 * @returns {Promise<boolean>}
 */
export const isInPackageLists = async (name) => {
  if (!hasPackageLists() && isRoot()) await aptGet(["update"]);
  return succeeds("apt-cache", ["show", "--quiet", name]);
};

/**
 * Asks on a terminal, Enter means yes; where nobody can answer, goes on.
 * @param {string} question
 */
async function agreed(question) {
  if (!process.stdin.isTTY || !process.stdout.isTTY || process.env["CI"]) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`? ${question} [Y/n] `);
    return !/^n/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** @param {readonly string[]} names */
async function installWithFreshLists(names) {
  const install = ["install", "--yes", "--no-install-recommends", ...names];
  try {
    await aptGet(install);
  } catch {
    // Old lists name versions that the mirror has since removed.
    await aptGet(["update"]);
    await aptGet(install);
  }
}

/** @param {readonly string[]} args */
const aptGet = (args) => run("apt-get", ["--quiet", "-o", "DPkg::Lock::Timeout=300", ...args], { env });

function hasPackageLists() {
  const lists = "/var/lib/apt/lists";
  return existsSync(lists) && readdirSync(lists).some((file) => /_(Packages|InRelease)/.test(file));
}

// Debian starts a service as it installs it. What we need running we start ourselves, and a registry for tests must never
// stay behind as a daemon. The policy holds only while this process lives, so that a killed set-up leaves no ban behind.
function forbidServiceStarts() {
  if (existsSync(policyFile)) return { end: () => undefined };
  writeFileSync(policyFile, `#!/bin/sh\n[ -d /proc/${process.pid} ] && exit 101\nexit 0\n`, { mode: 0o755 });
  return { end: () => rmSync(policyFile, { force: true }) };
}
