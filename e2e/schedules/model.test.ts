import { describe, expect, test } from "vitest";
import type { Operation, Outcome } from "./histories.ts";
import { Model } from "./model.ts";

const create: Operation = { operationId: "c", change: "create-container", username: "bob", key: "red" };
const excuses = { mayMove: () => false };

function unsettledAfter(...outcomes: readonly Outcome[]): boolean {
  const model = new Model();
  for (const outcome of outcomes) model.learn("bob", [[create, outcome]], excuses);
  return model.of("bob").isUnsettled;
}

describe("an operation whose reply was lost", () => {
  test("may be under way still, until a later one was replied to", () => {
    expect(unsettledAfter({ kind: "in doubt" })).toBe(true);
    expect(unsettledAfter({ kind: "in doubt" }, { kind: "success", seen: undefined })).toBe(false);
  });

  test("may be under way still where the next one could not be sent", () => {
    expect(unsettledAfter({ kind: "in doubt" }, { kind: "not sent" })).toBe(true);
  });
});
