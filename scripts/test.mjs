import "./node-version.mjs";
import { runAsEntry } from "./problem.mjs";
import { runInForeground } from "./run.mjs";
import { setup } from "./setup.mjs";
import { testTools } from "./test-tools.mjs";

/** Every test there is, or those that the arguments name (they are vitest's own). */
async function test() {
  await setup();
  await testTools();
  process.exitCode = await runTests(process.argv.slice(2));
}

/** @param {readonly string[]} args */
export const runTests = (args) => runInForeground(process.execPath, ["node_modules/vitest/vitest.mjs", "run", ...args]);

runAsEntry(import.meta.url, test);
