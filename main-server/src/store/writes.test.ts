import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../testing/main-server.ts";
import { openFile } from "./database.ts";
import { Writes } from "./writes.ts";

/** A store of its own, and a second reader that tells each commit from the one before. */
async function scene() {
  const file = join(temporaryDirectory(), "store.sqlite");
  const db = await openFile(file);
  const writes = new Writes(file);
  const reader = new DatabaseSync(file, { readOnly: true });
  onTestFinished(async () => {
    reader.close();
    await writes[Symbol.asyncDispose]();
    await db.destroy();
  });
  const add = (id: string) =>
    writes.run(db.insertInto("backends").values({ id, name: id, owner_id: null, created_at: "now" }));
  const rename = (id: string, name: string) =>
    writes.run(db.updateTable("backends").set({ name }).where("id", "=", id));
  const query = db.selectFrom("backends").select("name").orderBy("id");
  const names = async () => (await query.execute()).map(({ name }) => name);
  const read = reader.prepare("select group_concat(name) as names from (select name from backends order by id)");
  const glance = () => (read.get() as { names: string | null }).names ?? "";
  return { writes, add, rename, names, glance };
}

const together = "abcdefgh".split("");

test("writes that come together are there together: nobody sees some of them without the others", async () => {
  const { add, rename, names, glance } = await scene();
  const told = new AbortController();
  const written = Promise.all([...together.map(add), rename("a", "later")]).then(() => told.abort());
  const seen = new Set<string>();
  while (!told.signal.aborted) {
    seen.add(glance());
    await turn();
  }
  await written;
  const all = ["later", ...together.slice(1)];
  expect([...seen].filter((found) => found !== "")).toEqual(seen.has(all.join()) ? [all.join()] : []);
  expect(await names()).toEqual(all);
});

test("who is told of a write can read it, and how many rows it changed", async () => {
  const { add, rename, names } = await scene();
  expect(await add("a")).toBe(1);
  expect(await names()).toEqual(["a"]);
  expect(await Promise.all([rename("a", "b"), rename("nobody", "c")])).toEqual([1, 0]);
  expect(await names()).toEqual(["b"]);
});

test("a write that cannot be fails alone", async () => {
  const { add, names } = await scene();
  const outcomes = await Promise.allSettled(["a", "b", "a", "c"].map(add));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[2]).toMatchObject({ reason: { message: expect.stringContaining("UNIQUE") as string } });
  expect(await names()).toEqual(["a", "b", "c"]);
});

test("what comes in while a group is written goes with the next one, in its order, and none is left behind", async () => {
  const { writes, add, rename, names } = await scene();
  const ids = Array.from({ length: 60 }, (_, number) => `b${100 + number}`);
  const written: Promise<number>[] = [];
  for (const [number, id] of ids.entries()) {
    written.push(add(id), rename(id, `${id}, renamed`));
    if (number % 7 === 0) await written.at(-1);
    if (number % 5 === 0) await turn();
  }
  await Promise.all(written);
  expect(await names()).toEqual(ids.map((id) => `${id}, renamed`));
  expect(await writes.without(names)).toHaveLength(ids.length);
});

test("while somebody works without them writes wait, and are made afterwards", async () => {
  const { writes, add, names, glance } = await scene();
  const early = add("a");
  let resolve: () => void = () => undefined;
  const open = new Promise<void>((settle) => (resolve = settle));
  const work = writes.without(async () => {
    const atFirst = glance();
    await open;
    return [atFirst, glance()];
  });
  await early;
  const late = add("b");
  for (let turns = 0; turns < 20; turns++) await turn();
  resolve();
  expect(await work).toEqual(["a", "a"]);
  await late;
  expect(await names()).toEqual(["a", "b"]);
});

test("a failure of who works without them is theirs alone", async () => {
  const { writes, add, names } = await scene();
  await expect(writes.without(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await add("a");
  expect(await names()).toEqual(["a"]);
});
