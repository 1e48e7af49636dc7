import "./node-version.mjs";
import { build } from "./build.mjs";
import { engine } from "./engine.mjs";
import { instanceImage } from "./image.mjs";
import { packages } from "./packages.mjs";
import { runAsEntry } from "./problem.mjs";
import { sshClient } from "./ssh-client.mjs";

/**
 * Brings a machine to where DockHost runs. Each step first looks whether there is anything to do. What may need a person
 * (permission, a question) comes first, the long work after it.
 */
export async function setup() {
  await engine();
  await sshClient();
  await packages();
  await build();
  await instanceImage();
}

runAsEntry(import.meta.url, setup);
