import { describe, expect, it } from "vitest";
import { turns } from "./turns.ts";

describe("turns of the ways", () => {
  it.each([2, 3, 4, 5])("lets each of %i ways be at each place equally often", (count) => {
    const orders = turns(count);
    for (const place of range(count)) {
      const there = orders.map((order) => order[place] ?? -1);
      for (const way of range(count)) expect(occurrences(there, way)).toBe(orders.length / count);
    }
  });

  it.each([2, 3, 4, 5])("lets each of %i ways follow each other one equally often", (count) => {
    const orders = turns(count);
    const followed = orders.flatMap((order) => order.slice(1).map((way, place) => `${order[place]} then ${way}`));
    const each = range(count).flatMap((one) => range(count).map((other) => [one, other] as const));
    for (const [one, other] of each.filter(([one, other]) => one !== other)) {
      expect(occurrences(followed, `${one} then ${other}`)).toBe(orders.length / count);
    }
  });

  it("knows what to do with one way", () => {
    expect(new Set(turns(1).flat())).toEqual(new Set([0]));
  });
});

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const occurrences = <T>(values: readonly T[], value: T): number => values.filter((one) => one === value).length;
