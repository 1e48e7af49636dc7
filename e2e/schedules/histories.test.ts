import { describe, expect, test } from "vitest";
import { after, NOTHING, type Change, type Operation, type Outcome, type Possible } from "./histories.ts";

const operation = (operationId: string, change: Change, key = "k1"): Operation => ({
  operationId,
  change,
  key,
  username: "ada",
});
const success = (containerId: string, base: number): Outcome => ({ kind: "success", seen: { containerId, base } });
const doubt: Outcome = { kind: "in doubt" };
const refused = (code: "NOT_FOUND" | "ALREADY_EXISTS"): Outcome => ({ kind: "refused", code });

const run = (...steps: (readonly (readonly [Operation, Outcome])[])[]): readonly Possible[] =>
  steps.reduce((before, step) => after(before, step, (base) => base === 2000), NOTHING);

const states = (possible: readonly Possible[]): string[] =>
  [...new Set(possible.map(({ container }) => (container ? (container.runs ? "runs" : "rests") : "absent")))].sort();

const created = [[operation("c", "create-container"), success("one", 1000)]] as const;

describe("what a user may have", () => {
  test("is certain where every reply came", () => {
    expect(states(run(created, [[operation("s", "stop-container"), success("one", 1000)]]))).toEqual(["rests"]);
    expect(states(run([[operation("s", "start-container"), refused("NOT_FOUND")]]))).toEqual(["absent"]);
  });

  test("is either of two after a lost reply, until the retry tells", () => {
    const lost = [[operation("c", "create-container"), doubt]] as const;
    expect(states(run(lost))).toEqual(["absent", "runs"]);
    expect(states(run(lost, created))).toEqual(["runs"]);
    expect(states(run(lost, [[operation("other", "create-container"), refused("ALREADY_EXISTS")]]))).toEqual(["runs"]);
  });

  test("follows commands at once in any order that explains their replies", () => {
    const atOnce = [
      [operation("d", "delete-container"), { kind: "success", seen: undefined }],
      [operation("s", "start-container"), refused("NOT_FOUND")],
    ] as const;
    expect(states(run(created, atOnce))).toEqual(["absent"]);
  });

  test("is nothing that can be where a reply breaks the contract", () => {
    expect(run(created, [[operation("e", "create-container"), success("two", 1003)]])).toEqual([]);
    expect(run(created, [[operation("s", "start-container"), refused("NOT_FOUND")]])).toEqual([]);
    expect(run([[operation("s", "start-container"), success("one", 1000)]])).toEqual([]);
  });

  test("is nothing that can be where another container or other ports appear, but for a move", () => {
    const start = operation("s", "start-container");
    expect(run(created, [[start, success("two", 1000)]])).toEqual([]);
    expect(run(created, [[start, success("one", 1003)]])).toEqual([]);
    expect(run(created, [[start, success("two", 1003)]])).toEqual([]);
    const taken = [[operation("c", "create-container"), success("one", 2000)]] as const;
    expect(states(run(taken, [[start, success("two", 2003)]]))).toEqual(["runs"]);
  });

  test("changes no more by a repeat of what has succeeded", () => {
    const stop = [operation("s", "stop-container"), success("one", 1000)] as const;
    const start = [operation("t", "start-container"), success("one", 1000)] as const;
    expect(states(run(created, [stop], [start], [stop]))).toEqual(["runs"]);
    const deleted = [[operation("d", "delete-container"), { kind: "success", seen: undefined }]] as const;
    expect(states(run(created, deleted, [[operation("c", "create-container"), refused("NOT_FOUND")]]))).toEqual([
      "absent",
    ]);
    const next = [[operation("n", "create-container"), success("two", 1000)]] as const;
    expect(states(run(created, deleted, next, [[operation("c", "create-container"), refused("NOT_FOUND")]]))).toEqual([
      "runs",
    ]);
    expect(run(created, deleted, next, [[operation("c", "create-container"), success("two", 1000)]])).toEqual([]);
  });
});
