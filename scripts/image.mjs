import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { debianBase } from "./debian-base.mjs";
import { docker, hasImage } from "./docker.mjs";
import { root } from "./run.mjs";
import { step } from "./steps.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

export const imageName = "dockhost/instance:latest";

const sourceLabel = "dockhost.source";
const ubuntu = "ubuntu:24.04";

/** The instance image, built from `instance-image/` unless the one that is there came from the same files. */
export async function instanceImage() {
  await step("instance image", async (announce) => {
    const folder = join(root, "instance-image");
    const source = sourceHash(folder);
    if ((await builtFrom()) === source) return "already there";
    return (await hasUbuntu(announce))
      ? buildOnUbuntu(folder, source, announce)
      : buildOnDebian(folder, source, announce);
  });
}

/**
 * One value for the names and contents of all files that make the image.
 * @param {string} folder
 */
export function sourceHash(folder) {
  const hash = createHash("sha256");
  const files = readdirSync(folder).filter((file) => file !== "README.md");
  for (const file of files.sort()) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function builtFrom() {
  const format = `{{index .Config.Labels "${sourceLabel}"}}`;
  const label = await docker(["image", "inspect", "--format", format, imageName]).catch(() => "");
  return label.trim();
}

/** @param {Announce} announce */
async function hasUbuntu(announce) {
  if (await hasImage(ubuntu)) return true;
  announce(`pulling ${ubuntu}`);
  // A registry that cannot be reached may never answer; one that answers may be slow.
  const pulled = docker(["pull", ubuntu], { silenceMs: 20_000, timeoutMs: 600_000 });
  return pulled.then(() => true).catch(() => false);
}

/**
 * @param {string} folder
 * @param {string} source
 * @param {Announce} announce
 */
async function buildOnUbuntu(folder, source, announce) {
  announce("building the instance image on Ubuntu 24.04 (about 1 minute)");
  try {
    await dockerBuild(folder, source, ubuntu);
    return "built on Ubuntu 24.04";
  } catch {
    // Ubuntu's archive may be out of reach although its image was there.
    return buildOnDebian(folder, source, announce);
  }
}

/**
 * @param {string} folder
 * @param {string} source
 * @param {Announce} announce
 */
async function buildOnDebian(folder, source, announce) {
  const base = await debianBase(announce);
  announce("building the instance image on Debian 12 (about half a minute)");
  await dockerBuild(folder, source, base);
  return "built on Debian 12, because Ubuntu's base could not be had";
}

/**
 * @param {string} folder
 * @param {string} source
 * @param {string} base
 */
const dockerBuild = (folder, source, base) =>
  docker([
    "build",
    ...["--build-arg", `BASE=${base}`],
    ...["--label", `${sourceLabel}=${source}`],
    ...["--tag", imageName],
    folder,
  ]);
