import fc from "fast-check";
import { expect, test } from "vitest";
import { statusOf } from "../testing/fake-backend.ts";
import { place, type Candidate } from "./placement.ts";

const slots = fc.integer({ min: 0, max: 40 });

const status = fc
  .record({ reachable: fc.boolean(), draining: fc.boolean(), max: slots, comfortable: slots, containers: slots })
  .chain((given) => fc.nat(8000).map((memoryAvailableMiB) => ({ ...given, memoryAvailableMiB })))
  .map(({ reachable, draining, max, comfortable, containers, memoryAvailableMiB }) => {
    const base = statusOf();
    return {
      ...base,
      draining,
      docker: { ...base.docker, reachable },
      capacity: { ...base.capacity, maxContainers: max, comfortableContainers: Math.min(comfortable, max) },
      usage: { ...base.usage, containers, memoryAvailableMiB },
    };
  });

const candidate = fc.record({
  backendId: fc.uuid(),
  status: fc.option(status, { nil: undefined }),
  creating: fc.nat(5),
  occupied: fc.boolean(),
});
const candidates = fc.uniqueArray(candidate, { selector: ({ backendId }) => backendId, maxLength: 8 });

const takes = ({ status: now, creating, occupied }: Candidate) =>
  !occupied &&
  (!now || (!now.draining && now.docker.reachable && now.usage.containers + creating < now.capacity.maxContainers));

const property = (name: string, check: (all: Candidate[]) => void) =>
  test(name, () => {
    fc.assert(fc.property(candidates, check), { numRuns: 10_000 });
  });

property("a backend is found exactly where one may take the instance", (all) => {
  expect(place(all).kind === "placed").toBe(all.some(takes));
});

property("a chosen backend has room, is not draining, reaches Docker, and has none of the caller's yet", (all) => {
  const placement = place(all);
  if (placement.kind !== "placed") return;
  expect(all.filter(takes).map(({ backendId }) => backendId)).toContain(placement.backendId);
});

property("no other that may take it has more free capacity", (all) => {
  const placement = place(all);
  if (placement.kind !== "placed") return;
  const free = (one: Candidate) =>
    one.status ? one.status.capacity.comfortableContainers - one.status.usage.containers - one.creating : -Infinity;
  const chosen = all.filter(({ backendId }) => backendId === placement.backendId).map(free)[0] ?? NaN;
  expect(Math.max(...all.filter(takes).map(free))).toBe(chosen);
});

property("whose turn it is does not depend on the order in which backends are listed", (all) => {
  expect(place([...all].reverse()).kind).toBe(place(all).kind);
});

property("a caller who is on every backend is told so, one who finds nobody there as well", (all) => {
  const everywhere = all.map((one) => ({ ...one, occupied: true }));
  expect(place(everywhere).kind).toBe(all.length === 0 ? "no-backend" : "occupied");
});

property("the candidates are left as they were", (all) => {
  const before = structuredClone(all);
  place(all);
  expect(all).toEqual(before);
});

test("of two with as many free slots, the one with more memory serves", () => {
  const usage = { ...statusOf().usage, memoryAvailableMiB: 7000 };
  const one: Candidate = { backendId: "one", status: statusOf(), creating: 0, occupied: false };
  const other: Candidate = { ...one, backendId: "other", status: { ...statusOf(), usage } };
  expect(place([one, other])).toEqual({ kind: "placed", backendId: "other" });
});
