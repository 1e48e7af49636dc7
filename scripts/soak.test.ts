import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { testsOfFaults } from "./soak.mjs";

it("soak runs the schedules, and each test that puts a row into the table of faults, or has more to try than npm test has time for", () => {
  const files = testsOfFaults();
  expect(files).toEqual(
    expect.arrayContaining([
      "e2e/schedules/schedules.test.ts",
      "e2e/faults/link.test.ts",
      "e2e/main-server-crash.test.ts",
    ]),
  );
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});
