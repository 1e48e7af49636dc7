import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAsEntry } from "./problem.mjs";
import { root, run } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

// All that the page is made from, its packages' versions among it.
const sources = [
  ...["index.html", "package.json", "vite.config.ts", "precompress.ts", "src"].map((name) => `frontend/${name}`),
  "protocol/src",
  "package-lock.json",
];
// Where Vite empties before it builds, so that a build that was cut short, or made by hand, has no stamp.
const stamp = join(root, "frontend/dist/.stamp");

/**
 * The page, built unless the one that is there came from the same sources; answers whether it was. Vite itself would take
 * seconds to find out.
 * @param {Announce} announce
 * @returns {Promise<boolean>}
 */
export async function buildPage(announce) {
  const wanted = hashOf(root, sources);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  announce("building the page (about 10 seconds)");
  await run(process.execPath, [join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel=warn", "frontend"]);
  writeFileSync(stamp, wanted);
  return true;
}

/**
 * One value for the names and contents of all files at `paths`, those in folders included. Tests make no difference.
 * @param {string} folder
 * @param {readonly string[]} paths
 */
export function hashOf(folder, paths) {
  const hash = createHash("sha256");
  const files = paths.flatMap((path) => filesAt(folder, path)).filter((file) => !/\.test\.tsx?$/.test(file));
  for (const file of files.sort()) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * @param {string} folder
 * @param {string} path
 * @returns {string[]}
 */
function filesAt(folder, path) {
  if (statSync(join(folder, path)).isFile()) return [path];
  return readdirSync(join(folder, path)).flatMap((name) => filesAt(folder, `${path}/${name}`));
}

runAsEntry(import.meta.url, () => buildPage((doing) => console.log(`… ${doing}`)));
