import { request } from "node:http";
import { docker } from "./docker.mjs";
import { which } from "./run.mjs";

/** @typedef {"ok" | "absent" | "refused" | "denied" | "silent"} Answer */

/** @param {string | undefined} [dockerHost] */
export const socketPath = (dockerHost = process.env["DOCKER_HOST"]) =>
  dockerHost?.startsWith("unix://") ? dockerHost.slice("unix://".length) : "/var/run/docker.sock";

/**
 * How the Engine that the backend will use answers: the one of `DOCKER_HOST`, else of the usual socket.
 * @returns {Promise<Answer>}
 */
export async function ping() {
  const dockerHost = process.env["DOCKER_HOST"];
  if (!dockerHost || dockerHost.startsWith("unix://")) return pingSocket(socketPath());
  if (which("docker") === undefined) return "absent";
  // The client knows every other way of reaching an Engine: TCP, TLS, SSH.
  const asked = docker(["version", "--format", "{{.Server.Version}}"], { timeoutMs: 15_000 });
  return asked.then(
    () => "ok",
    () => "refused",
  );
}

/**
 * @param {string} path
 * @param {number} [timeout] milliseconds
 * @returns {Promise<Answer>}
 */
export function pingSocket(path, timeout = 5000) {
  return new Promise((resolve) => {
    const asking = request({ socketPath: path, path: "/_ping", timeout }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? "ok" : "silent");
    });
    asking.on("timeout", () => {
      resolve("silent");
      asking.destroy();
    });
    asking.on("error", (error) =>
      resolve(meanings[/** @type {NodeJS.ErrnoException} */ (error).code ?? ""] ?? "refused"),
    );
    asking.end();
  });
}

/** @type {Record<string, Answer>} */
const meanings = { ENOENT: "absent", ENOTDIR: "absent", EACCES: "denied", EPERM: "denied", ECONNREFUSED: "refused" };
