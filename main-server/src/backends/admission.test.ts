import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Admission } from "./admission.ts";

const PAUSE_MS = 5;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A door where callers are told, in order, whether they were let in. */
function door(mostWaiting = 100) {
  const told: [caller: string, admitted: boolean][] = [];
  const house = { busy: false };
  const admission = new Admission({ isBusy: () => house.busy, pauseMs: PAUSE_MS, mostWaiting });
  const knock = (caller: string) => {
    const socket = new EventEmitter();
    admission.ask({ socket } as unknown as IncomingMessage, (admitted) => told.push([caller, admitted]));
    return socket;
  };
  return { admission, house, told, knock };
}

const admitted = (...callers: string[]) => callers.map((caller) => [caller, true]);

test("callers are let in one after another, in the order they came", () => {
  const { told, knock } = door();
  for (const caller of ["a", "b", "c"]) knock(caller);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(admitted("a"));
  vi.advanceTimersByTime(PAUSE_MS);
  expect(told).toEqual(admitted("a", "b"));
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(told).toEqual(admitted("a", "b", "c"));
});

test("while the house is busy nobody is let in, and then the next one is", () => {
  const { house, told, knock } = door();
  house.busy = true;
  knock("a");
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([]);
  house.busy = false;
  vi.advanceTimersByTime(PAUSE_MS);
  expect(told).toEqual(admitted("a"));
});

test("who comes when too many wait is refused at once, and those that wait keep their place", () => {
  const { told, knock } = door(2);
  for (const caller of ["a", "b", "c"]) knock(caller);
  expect(told).toEqual([["c", false]]);
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(told.slice(1)).toEqual(admitted("a", "b"));
});

test("who gives up while it waits is forgotten, and its place is free", () => {
  const { admission, told, knock } = door(2);
  const first = knock("a");
  knock("b");
  // Nobody else listens to it: an error that is not heard would be thrown here.
  first.emit("error", new Error("reset by its far end"));
  first.emit("close");
  expect(admission.waiting).toBe(1);
  knock("c");
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(told).toEqual(admitted("b", "c"));
});

test("nothing of ours stays on the socket of one that was let in", () => {
  const { knock } = door();
  const socket = knock("a");
  vi.advanceTimersByTime(PAUSE_MS);
  expect(socket.eventNames()).toEqual([]);
});

test("a door that is closed refuses those that wait, and those that come", () => {
  const { admission, told, knock } = door();
  knock("a");
  knock("b");
  admission[Symbol.dispose]();
  knock("c");
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([
    ["a", false],
    ["b", false],
    ["c", false],
  ]);
});
