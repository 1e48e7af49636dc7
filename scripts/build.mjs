import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildPage } from "./page-build.mjs";
import { root, run } from "./run.mjs";
import { step } from "./steps.mjs";

const workspaces = ["protocol/dist/index.js", "backend/dist/backend.js", "main-server/dist/main-server.js"];

/**
 * JavaScript from our TypeScript. The compiler itself tells in half a second whether sources have changed; a stamp of our
 * own would be wrong as soon as somebody builds by hand. Putting the backend into one file takes as long.
 */
export async function build() {
  await step("build", async (announce) => {
    const complete = workspaces.every((file) => existsSync(join(root, file)));
    if (!complete) announce("compiling (about 10 seconds)");
    const projects = workspaces.map((file) => `${file.split("/")[0] ?? ""}/tsconfig.build.json`);
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    // Its records stand outside dist, so it does not notice that dist was removed.
    await run(process.execPath, [compiler, "-b", ...(complete ? [] : ["--force"]), ...projects]);
    await run(process.execPath, [join(root, "backend/bundle.mjs")]);
    const pageBuilt = await buildPage(announce);
    if (!complete) return "compiled";
    return pageBuilt ? "the page is built" : "up to date";
  });
}
