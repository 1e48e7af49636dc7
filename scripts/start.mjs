import "./node-version.mjs";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isRoot } from "./apt.mjs";
import { dataDirectory, loadDotEnv } from "./data-directory.mjs";
import { engineVersion } from "./docker.mjs";
import { greeting } from "./greeting.mjs";
import { imageName } from "./image.mjs";
import { runAsEntry } from "./problem.mjs";
import { root, which } from "./run.mjs";
import { setup } from "./setup.mjs";
import { supervise } from "./supervise.mjs";

/** Sets up what is missing, then runs a main server and a backend for this machine until Ctrl-C. */
async function start() {
  await setup();
  loadDotEnv();
  const dataDir = dataDirectory(process.env, isRoot());
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });

  await supervise({
    mainServer: join(root, "main-server/dist/main-server.js"),
    backend: join(root, "backend/dist/backend.js"),
    keyFile: join(dataDir, "local-backend.key"),
    env: childEnvironment(dataDir),
    stop: stopSignal(),
    onRunning: async (running) => {
      const engine = await engineVersion();
      const image = process.env["DOCKHOST_IMAGE"] || imageName;
      const hasCurl = which("curl") !== undefined;
      console.log(greeting({ ...running, engine, image, dataDir, publicKey: ownPublicKey(), hasCurl }));
    },
  });
  console.log("DockHost has ended; instances keep running.");
}

/** @param {string} dataDir */
function childEnvironment(dataDir) {
  const log = process.stdout.isTTY ? { LOG_FORMAT: "pretty" } : {};
  return { ...log, ...process.env, DOCKHOST_DATA_DIR: dataDir };
}

// Heard for as long as we live, so that a second Ctrl-C does not cut the ending short.
function stopSignal() {
  const asked = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => asked.abort());
  // npm passes a SIGTERM on to its shell, which dies of it and tells us nothing: we see that we are orphaned.
  const parent = process.ppid;
  const orphaned = () => process.ppid !== parent && asked.abort();
  if (process.env["npm_lifecycle_event"] === "start") setInterval(orphaned, 250).unref();
  return asked.signal;
}

function ownPublicKey() {
  return ["~/.ssh/id_ed25519.pub", "~/.ssh/id_ecdsa.pub", "~/.ssh/id_rsa.pub"].find((file) =>
    existsSync(file.replace("~", homedir())),
  );
}

runAsEntry(import.meta.url, start);
