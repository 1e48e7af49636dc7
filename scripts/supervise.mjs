import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupProblem } from "./problem.mjs";
import { end } from "./run.mjs";

/**
 * What the main server sends over IPC as soon as it listens.
 * @typedef {object} MainServerReady
 * @property {true} ready
 * @property {readonly string[]} urls the first is the backend's
 * @property {"open" | "token" | "closed"} signup
 * @property {string} [firstAccountToken]
 */

/**
 * @typedef {object} Plan
 * @property {string} mainServer the file that node runs
 * @property {string} backend likewise
 * @property {string} keyFile where the main server writes the API key of this machine's backend
 * @property {NodeJS.ProcessEnv} env of both
 * @property {AbortSignal} stop asks both to end
 * @property {(running: { ready: MainServerReady, mainServerPid: number, backendPid: number }) => Promise<void>} onRunning
 * @property {{ readyMs: number, connectedMs: number, graceMs: number }} [patience]
 */

const usualPatience = { readyMs: 60_000, connectedMs: 120_000, graceMs: 15_000 };

/**
 * Runs a main server and a backend side by side until `stop` is asked for, then ends both, the backend first: it may still
 * have replies to give.
 * @param {Plan} plan
 * @throws {SetupProblem} where one ends by itself or does not come up; the other is ended before
 */
export async function supervise(plan) {
  /** @type {Child[]} */
  const children = [];
  const patience = plan.patience ?? usualPatience;
  try {
    await untilStopped(plan.stop, runBoth(plan, patience, children));
  } finally {
    for (const child of [...children].reverse()) await child.stop(patience.graceMs);
  }
}

/**
 * @param {AbortSignal} stop
 * @param {Promise<never>} running
 */
async function untilStopped(stop, running) {
  const stopped = new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  try {
    if (!stop.aborted) await Promise.race([running, stopped]);
  } catch (error) {
    // Ctrl-C reaches the children too, and one may be gone before we have heard of it ourselves.
    await sleep(50);
    if (!stop.aborted) throw error;
  }
  running.catch(() => undefined);
}

/**
 * @param {Plan} plan
 * @param {{ readyMs: number, connectedMs: number }} patience
 * @param {Child[]} children
 * @returns {Promise<never>}
 */
async function runBoth(plan, patience, children) {
  const mainServer = new Child("main server", plan.mainServer, {
    ...plan.env,
    DOCKHOST_LOCAL_BACKEND_KEY_FILE: plan.keyFile,
  });
  children.push(mainServer);
  const ready = await mainServer.says(isReady, patience.readyMs);
  const url = ready.urls[0] ?? "";

  plan.stop.throwIfAborted(); // nothing may be started behind the back of the one who ends
  const backend = new Child("backend", plan.backend, {
    ...plan.env,
    DOCKHOST_API_KEY: readFileSync(plan.keyFile, "utf8").trim(),
    MAIN_SERVER_BACKEND_URL: url,
  });
  children.push(backend);
  await Promise.race([backend.says(isConnected, patience.connectedMs), mainServer.dies()]);
  await Promise.race([untilHealthy(url, patience.readyMs), backend.dies(), mainServer.dies()]);

  await plan.onRunning({ ready, mainServerPid: mainServer.pid, backendPid: backend.pid });
  return Promise.race([mainServer.dies(), backend.dies()]);
}

/** A node process that reports over IPC and whose log goes where ours goes. */
class Child {
  #process;
  #ended;

  /**
   * @param {string} name
   * @param {string} file
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(name, file, env) {
    this.name = name;
    this.#process = spawn(process.execPath, [file], { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#ended = end(this.#process);
  }

  get pid() {
    return this.#process.pid ?? 0;
  }

  /**
   * The first message that `matches`.
   * @template Message
   * @param {(message: unknown) => message is Message} matches
   * @param {number} withinMs
   * @returns {Promise<Message>}
   */
  says(matches, withinMs) {
    const heard = new Promise((/** @type {(message: Message) => void} */ resolve) => {
      this.#process.on("message", (message) => matches(message) && resolve(message));
    });
    const tooLate = sleep(withinMs, undefined, { ref: false }).then(() => {
      throw new SetupProblem(`The ${this.name} is not ready after ${withinMs / 1000} s: its log above says why.`);
    });
    tooLate.catch(() => undefined);
    return Promise.race([heard, tooLate, this.dies()]);
  }

  /** @returns {Promise<never>} */
  async dies() {
    const { how } = await this.#ended;
    throw new SetupProblem(`The ${this.name} ${how}: its last lines above say why.`);
  }

  /** @param {number} graceMs */
  async stop(graceMs) {
    this.#process.kill("SIGTERM");
    const kill = setTimeout(() => {
      console.error(`The ${this.name} did not end within ${graceMs / 1000} s and is killed.`);
      this.#process.kill("SIGKILL");
    }, graceMs);
    await this.#ended;
    clearTimeout(kill);
  }
}

/**
 * @param {string} url
 * @param {number} withinMs
 */
async function untilHealthy(url, withinMs) {
  const deadline = performance.now() + withinMs;
  while (!(await isHealthy(url))) {
    if (performance.now() > deadline) throw new SetupProblem(`The main server does not answer at ${url}/health.`);
    await sleep(100);
  }
}

/** @param {string} url */
const isHealthy = (url) =>
  fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) }).then(
    (response) => response.ok,
    () => false,
  );

/**
 * @param {unknown} message
 * @returns {message is MainServerReady}
 */
const isReady = (message) => isRecord(message) && message["ready"] === true && Array.isArray(message["urls"]);

/**
 * @param {unknown} message
 * @returns {message is { connected: true }}
 */
const isConnected = (message) => isRecord(message) && message["connected"] === true;

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
const isRecord = (value) => typeof value === "object" && value !== null;
