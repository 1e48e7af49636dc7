import "./node-version.mjs";
import { runAsEntry } from "./problem.mjs";
import { runInForeground } from "./run.mjs";
import { setup } from "./setup.mjs";
import { testTools } from "./test-tools.mjs";
import { runTests } from "./test.mjs";

/** @type {readonly { name: string, args: readonly string[] }[]} */
const checks = [
  { name: "format", args: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."] },
  { name: "lint", args: ["node_modules/eslint/bin/eslint.js", "."] },
  ...[".", "protocol", "backend", "main-server", "frontend"].map((project) => ({
    name: project === "." ? "types" : `types of ${project}`,
    args: ["node_modules/typescript/bin/tsc", "--noEmit", "-p", project],
  })),
  { name: "unused", args: ["node_modules/knip/bin/knip.js"] },
];

/** Everything that a change must pass, quickest first; stops at the first that fails. */
async function check() {
  await setup();
  for (const { name, args } of checks) {
    console.log(`… ${name}`);
    process.exitCode = await runInForeground(process.execPath, args);
    if (process.exitCode !== 0) return console.error(`✗ ${name}`);
    console.log(`✓ ${name}`);
  }
  await testTools();
  process.exitCode = await runTests([]);
}

runAsEntry(import.meta.url, check);
