import { expect, test } from "vitest";
import { installedMatches } from "./packages.mjs";

const wanted = {
  packages: {
    "": { version: "3.0.0" },
    "node_modules/zod": { version: "4.6.7" },
    "node_modules/@dockhost/protocol": {},
    "node_modules/esbuild-aix": { version: "1.0.0", optional: true },
  },
};

test("packages are there when each has its version, whatever this platform leaves out", () => {
  const installed = { packages: { "node_modules/zod": { version: "4.6.7" }, "node_modules/@dockhost/protocol": {} } };
  expect(installedMatches(wanted, installed)).toBe(true);
});

test("a package that is missing or of another version means a new installation", () => {
  expect(installedMatches(wanted, { packages: { "node_modules/@dockhost/protocol": {} } })).toBe(false);
  expect(
    installedMatches(wanted, {
      packages: { "node_modules/zod": { version: "4.6.6" }, "node_modules/@dockhost/protocol": {} },
    }),
  ).toBe(false);
  expect(installedMatches(wanted, {})).toBe(false);
});
