import { expect, test } from "vitest";
import { containerOf } from "../testing/fake-backend.ts";
import { causeOf } from "./container-cause.ts";

const running = { wishedState: "running" } as const;
const stopped = { wishedState: "stopped" } as const;

test.each([
  ["nothing of one that runs", { state: "running" }, running, null],
  ["its owner's stop", { state: "stopped", exitCode: 143 }, stopped, "stopped by its owner"],
  [
    "a stop that was not its owner's",
    { state: "stopped", exitCode: 0 },
    running,
    "stopped on its machine or ended in peace, exit 0",
  ],
  ["that memory ran out", { state: "failed", exitCode: 137, oomKilled: true }, running, "out of memory, exit 137"],
  ["how it ended by itself", { state: "failed", exitCode: 2 }, running, "ended by itself, exit 2"],
  ["that it never came up", { state: "failed" }, running, "never came up"],
  ["that it comes again", { state: "restarting" }, running, "ended by itself, starting again"],
  ["that nobody knows it", { state: "running" }, undefined, "on no record of this main server"],
  ["both", { state: "failed", exitCode: 2 }, undefined, "ended by itself, exit 2; on no record of this main server"],
] as const)("a container's cause tells %s", (_, changes, record, cause) => {
  expect(causeOf({ ...containerOf("ada"), ...changes }, record)).toBe(cause);
});
