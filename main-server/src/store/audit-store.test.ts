import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../testing/main-server.ts";
import { Store } from "./store.ts";

async function scene() {
  const store = await Store.open(temporaryDirectory());
  onTestFinished(() => store[Symbol.asyncDispose]());
  const add = (createdAt: string, subject: string) =>
    store.audit.add({
      ...{ id: crypto.randomUUID(), createdAt, userId: null, username: null, action: "instance.started" },
      ...{ subject, subjectName: null, outcome: "done", detail: null, address: null },
    });
  const subjects = async () => (await store.audit.page({}, 100)).map(({ subject }) => subject);
  return { store, add, subjects };
}

test("entries before a moment go, and of the rest the oldest beyond the most that are kept", async () => {
  const { store, add, subjects } = await scene();
  for (let day = 1; day <= 9; day++) await add(`2026-01-0${day}T00:00:00.000Z`, `day ${day}`);
  await store.audit.prune(new Date("2026-01-03T00:00:00.000Z"), 100);
  expect(await subjects()).toEqual([9, 8, 7, 6, 5, 4, 3].map((day) => `day ${day}`));
  await store.audit.prune(new Date("2026-01-03T00:00:00.000Z"), 3);
  expect(await subjects()).toEqual(["day 9", "day 8", "day 7"]);
  await add("2026-01-10T00:00:00.000Z", "day 10");
  await store.audit.prune(new Date("2026-01-03T00:00:00.000Z"), 3);
  expect(await subjects()).toEqual(["day 10", "day 9", "day 8"]);
});
