import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { aptInstall, hasApt, isInPackageLists, isRoot } from "./apt.mjs";
import { engineVersion } from "./docker.mjs";
import { startEngine } from "./engine-start.mjs";
import { ping, socketPath } from "./engine-ping.mjs";
import { SetupProblem } from "./problem.mjs";
import { which } from "./run.mjs";
import { step } from "./steps.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

/**
 * What decides how an Engine is to be had.
 * @typedef {object} Machine
 * @property {import("./engine-ping.mjs").Answer} answer
 * @property {NodeJS.Platform} platform
 * @property {string} user
 * @property {boolean} root
 * @property {boolean} apt
 * @property {boolean} installed whether dockerd is there
 * @property {string | undefined} dockerHost
 */

const manual = "https://docs.docker.com/engine/install/";

/** The Docker Engine: the one that runs, else the one that is installed, else Debian's. */
export async function engine() {
  await step("Docker Engine", async (announce) => {
    const before = inspect(await ping());
    const plan = decide(before);
    if (plan.action === "tell") throw new SetupProblem(plan.sentence);
    if (plan.action === "install") await installEngine(announce);
    if (plan.action !== "use") await startEngine(announce);
    await ensureClient(announce);

    return `${await engineVersion()}, ${plan.action === "use" ? "already running" : "started"}`;
  });
}

/**
 * @param {Machine} machine
 * @returns {{ action: "use" | "start" | "install" } | { action: "tell", sentence: string }}
 */
export function decide(machine) {
  if (machine.answer === "ok") return { action: "use" };
  if (machine.dockerHost !== undefined) return tell(sentences.dockerHost(machine.dockerHost, machine.answer));
  if (machine.platform !== "linux") return tell(machine.platform === "win32" ? sentences.windows : sentences.desktop);
  if (machine.answer === "denied") return tell(sentences.denied(machine.user));
  if (machine.installed) return machine.root ? { action: "start" } : tell(sentences.notRunning);
  if (!machine.apt) return tell(sentences.absent);
  return machine.root ? { action: "install" } : tell(sentences.absentForUser(machine.user));
}

/** @param {string} sentence */
const tell = (sentence) => ({ action: /** @type {const} */ ("tell"), sentence });

const sentences = {
  windows:
    "DockHost runs on Linux and macOS: on Windows, run it inside WSL 2 (https://learn.microsoft.com/windows/wsl/).",
  desktop:
    "No Docker Engine answers at /var/run/docker.sock: start Docker Desktop (https://docs.docker.com/desktop/) with its default socket allowed, or set DOCKER_HOST, then run this again.",
  notRunning: 'Docker is installed but does not run: start it with "sudo systemctl start docker", then run this again.',
  absent: `Docker is not installed: install it as ${manual} says, then run this again.`,
  /** @param {string} user */
  absentForUser: (user) =>
    `Docker is not installed: run "sudo apt-get install docker.io && sudo usermod -aG docker ${user}", log in again, then run this again.`,
  /** @param {string} user */
  denied: (user) =>
    `Docker runs, but ${user} may not use it: run "sudo usermod -aG docker ${user}", log in again, then run this again.`,
  /**
   * @param {string} host
   * @param {string} answer
   */
  dockerHost: (host, answer) =>
    `No Docker Engine answers at DOCKER_HOST=${host} (${answer}): start it there or unset DOCKER_HOST, then run this again.`,
};

/**
 * @param {import("./engine-ping.mjs").Answer} answer
 * @returns {Machine}
 */
function inspect(answer) {
  return {
    answer,
    platform: process.platform,
    user: userName(),
    root: isRoot(),
    apt: hasApt(),
    installed: which("dockerd") !== undefined,
    dockerHost: process.env["DOCKER_HOST"] || undefined,
  };
}

function userName() {
  try {
    return userInfo().username;
  } catch {
    return "$USER"; // an id that no account has
  }
}

/** @param {Announce} announce */
async function installEngine(announce) {
  const names = ["docker.io", "iptables", "ca-certificates"];
  // From Debian 13 on the client is a package of its own.
  if (await isInPackageLists("docker-cli")) names.push("docker-cli");
  // Where the kernel enforces AppArmor, the Engine cannot start a container without its parser.
  if (existsSync("/sys/module/apparmor")) names.push("apparmor");
  await aptInstall(names, "Docker Engine", announce);
}

/** @param {Announce} announce */
async function ensureClient(announce) {
  if (which("docker") !== undefined) return;
  const apart = hasApt() && (await isInPackageLists("docker-cli"));
  if (!apart)
    throw new SetupProblem(`An Engine answers at ${socketPath()}, but the docker command is missing: see ${manual}`);
  await aptInstall(["docker-cli"], "the docker command", announce);
}
