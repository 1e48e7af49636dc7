import { run } from "./run.mjs";

/**
 * Runs the docker command against the Engine that the backend will use, whatever context the person has chosen for themselves.
 * @param {readonly string[]} args
 * @param {import("./run.mjs").RunOptions} [options]
 */
export const docker = (args, options = {}) =>
  run("docker", args, {
    ...options,
    env: { DOCKER_HOST: process.env["DOCKER_HOST"] || "unix:///var/run/docker.sock" },
  });

/** @param {string} name */
export const hasImage = (name) =>
  docker(["image", "inspect", name]).then(
    () => true,
    () => false,
  );

export const engineVersion = async () => (await docker(["version", "--format", "{{.Server.Version}}"])).trim();
