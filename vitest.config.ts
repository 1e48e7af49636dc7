import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const protocolSource = fileURLToPath(new URL("protocol/src/", import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@dockhost\/protocol$/, replacement: `${protocolSource}index.ts` },
      { find: /^@dockhost\/protocol\/(.+)$/, replacement: `${protocolSource}$1.ts` },
    ],
  },
  test: {
    // A machine of two processors has enough to do with that; with more at once it is late with everything.
    maxWorkers: 2,
    maxConcurrency: 3,
    // A promise is not broken by a slow machine: what is late is told by the benchmark.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    expect: { poll: { timeout: 15_000 } },
    // The ledger stands first: what it prints comes above the summary.
    reporters: ["./e2e/faults/ledger-reporter.ts", "default"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // A process for each file would take longer to start than most of them run.
          isolate: false,
          include: ["{protocol,backend,main-server,frontend}/src/**/*.test.ts", "{scripts,bench}/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          globalSetup: "e2e/support/nothing-left.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
