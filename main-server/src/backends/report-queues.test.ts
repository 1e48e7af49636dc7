import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ReportQueues } from "./report-queues.ts";

const connection = (backendId: string) => ({ backendId });

/** Queues, what was worked off, and work that ends when it is told to. */
function scene() {
  const done: string[] = [];
  const failures: unknown[] = [];
  const queues = new ReportQueues<{ backendId: string }>(({ backendId }, error) =>
    failures.push([backendId, String(error)]),
  );
  const work = (name: string) => () => {
    done.push(name);
    return Promise.resolve();
  };
  const open: (() => void)[] = [];
  const slow = (name: string) => () =>
    new Promise<void>((resolve) => {
      done.push(name);
      open.push(resolve);
    });
  return { queues, done, failures, work, slow, open };
}

const turns = async (count = 20) => {
  for (let number = 0; number < count; number++) await turn();
};

test("what one connection tells is worked off in its order, whatever it is", async () => {
  const { queues, done, work } = scene();
  const one = connection("one");
  queues.add(one, work("status"));
  queues.addInventory(one, work("inventory"));
  queues.add(one, work("change"));
  await queues.idle();
  expect(done).toEqual(["status", "inventory", "change"]);
});

test("eight inventories are worked off at a time, and other reports meanwhile", async () => {
  const { queues, done, work, slow, open } = scene();
  for (let number = 0; number < 20; number++) queues.addInventory(connection(`${number}`), slow(`inventory ${number}`));
  await turns();
  expect(done).toHaveLength(8);
  queues.add(connection("other"), work("status"));
  await turns();
  expect(done).toHaveLength(9);
  open.shift()?.();
  await turns();
  expect(done).toHaveLength(10);
});

test("it is busy while sixteen inventories wait, until they do not", async () => {
  const { queues, slow, open } = scene();
  for (let number = 0; number < 23; number++) queues.addInventory(connection(`${number}`), slow(`${number}`));
  await turns();
  expect(queues.isBusy).toBe(false);
  queues.addInventory(connection("one more"), slow("one more"));
  await turns();
  expect(queues.isBusy).toBe(true);
  open.shift()?.();
  await turns();
  expect(queues.isBusy).toBe(false);
});

test("between two inventories everything else has its turn", async () => {
  const { queues, done, work } = scene();
  for (let number = 0; number < 40; number++) queues.addInventory(connection(`${number}`), work("inventory"));
  await turn();
  await turn();
  expect(done.length).toBeLessThan(40);
  await queues.idle();
  expect(done).toHaveLength(40);
});

test("work that fails is told, and the next is done all the same", async () => {
  const { queues, done, failures, work } = scene();
  const one = connection("one");
  queues.addInventory(one, () => Promise.reject(new Error("no")));
  queues.addInventory(one, work("next"));
  await queues.idle();
  expect([done, failures]).toEqual([["next"], [["one", "Error: no"]]]);
});
