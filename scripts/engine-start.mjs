import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ping, socketPath } from "./engine-ping.mjs";
import { SetupProblem } from "./problem.mjs";
import { lastLines, run } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

const logFile = "/var/log/dockerd.log";

const pidFiles = [
  { file: "/var/run/docker.pid", program: "dockerd" },
  { file: "/var/run/docker/containerd/containerd.pid", program: "containerd" },
];

/**
 * Starts the installed Engine and waits until it answers.
 * @param {Announce} announce
 */
export async function startEngine(announce) {
  announce("starting Docker Engine");
  // systemd's own test of whether it is the machine's init.
  const systemd = existsSync("/run/systemd/system");
  if (systemd) await run("systemctl", ["start", "docker"]);
  else startDaemon();
  await untilItAnswers(systemd ? 'see "journalctl -u docker"' : `its log is ${logFile}`, systemd ? "" : logFile);
}

// Detached: the daemon outlives the set-up and does not hear its Ctrl-C.
function startDaemon() {
  const alive = pidFiles.map(
    ({ file, program }) => holdsLivingProcess(file, program) || void rmSync(file, { force: true }),
  );
  if (alive[0]) return;
  const log = openSync(logFile, "a");
  const daemon = spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log], cwd: "/" });
  daemon.on("error", () => undefined); // told by its silence, with the log
  daemon.unref();
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
 * @param {string} where
 * @param {string} log
 */
async function untilItAnswers(where, log) {
  const deadline = performance.now() + 60_000;
  while ((await ping()) !== "ok") {
    if (performance.now() > deadline) {
      throw new SetupProblem(
        `Docker Engine was started but does not answer at ${socketPath()} within a minute: ${where}.`,
        existsSync(log) ? lastLines(readFileSync(log, "utf8")) : "",
      );
    }
    await sleep(100);
  }
}
