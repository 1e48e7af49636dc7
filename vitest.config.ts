import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const protocolSource = (file: string) => fileURLToPath(new URL(`protocol/src/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    // The first that fits counts, and the shorter name fits both.
    alias: { "@dockhost/protocol/rest": protocolSource("rest.ts"), "@dockhost/protocol": protocolSource("index.ts") },
  },
  test: {
    // Most of what they do is to wait; with more at once a machine of two processors is late with everything.
    maxWorkers: 2,
    // The ledger stands first: what it prints comes above the summary.
    reporters: ["./e2e/faults/ledger-reporter.ts", "default"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{protocol,backend,main-server}/src/**/*.test.ts", "{scripts,bench}/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
