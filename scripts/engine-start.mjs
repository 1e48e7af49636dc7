import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ping, socketPath } from "./engine-ping.mjs";
import { SetupProblem } from "./problem.mjs";
import { lastLines, run } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

const logFile = "/var/log/dockerd.log";

const daemon = { program: "dockerd", pidFile: "/var/run/docker.pid" };
const containerd = { program: "containerd", pidFile: "/var/run/docker/containerd/containerd.pid" };

/**
 * Starts the installed Engine and waits until it answers.
 * @param {Announce} announce
 */
export async function startEngine(announce) {
  announce("starting Docker Engine");
  // systemd's own test of whether it is the machine's init.
  if (existsSync("/run/systemd/system")) {
    await run("systemctl", ["start", "docker"]);
    return untilItAnswers('see "journalctl -u docker"', () => undefined);
  }
  const hasEnded = startDaemon();
  await untilItAnswers(`its log is ${logFile}`, () =>
    hasEnded() ? lastLines(readFileSync(logFile, "utf8")) : undefined,
  );
}

/** Answers a function that tells whether the daemon has ended again. */
function startDaemon() {
  for (const { program, pidFile } of [daemon, containerd]) {
    if (!holdsLivingProcess(pidFile, program)) rmSync(pidFile, { force: true });
  }
  let ended = false;
  if (existsSync(daemon.pidFile)) return () => ended; // it lives, and only has to be waited for

  const log = openSync(logFile, "a");
  // Detached: the daemon outlives the set-up and does not hear its Ctrl-C.
  const started = spawn(daemon.program, [], { detached: true, stdio: ["ignore", log, log], cwd: "/" });
  started.once("error", () => (ended = true));
  started.once("exit", () => (ended = true));
  started.unref();
  return () => ended;
}

/**
 * Whether the process that a pid file names lives and is that program: a killed daemon leaves its file behind, its number may
 * by now be another program's, and a zombie still has one.
 * @param {string} file
 * @param {string} program
 * @param {string} [proc]
 */
export function holdsLivingProcess(file, program, proc = "/proc") {
  try {
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
    const stat = readFileSync(`${proc}/${pid}/stat`, "utf8");
    const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(stat) ?? [];
    return name === program && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

/**
 * @param {string} where its log is
 * @param {() => string | undefined} lastWords of a daemon that has ended
 */
async function untilItAnswers(where, lastWords) {
  const deadline = performance.now() + 60_000;
  while ((await ping()) !== "ok") {
    const words = lastWords();
    if (words !== undefined) throw new SetupProblem(`Docker Engine ends as soon as it is started: ${where}.`, words);
    if (performance.now() > deadline) {
      throw new SetupProblem(`Docker Engine does not answer at ${socketPath()} a minute after its start: ${where}.`);
    }
    await sleep(100);
  }
}
