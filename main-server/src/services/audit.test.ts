import { expect, onTestFinished, test } from "vitest";
import { createLog } from "../observe/log.ts";
import { Store } from "../store/store.ts";
import { temporaryDirectory } from "../testing/main-server.ts";
import { Audit, type Act } from "./audit.ts";

const log = createLog({ format: "json", level: "silent" });
const act: Act = {
  user: { id: "u", username: "ada" },
  action: "instance.started",
  subject: "i",
  outcome: "done",
  detail: null,
  address: "192.0.2.1",
};

async function scene() {
  const store = await Store.open(temporaryDirectory());
  onTestFinished(() => store[Symbol.asyncDispose]());
  return { store, audit: new Audit(store, log) };
}

test("what was done in the last moment is on record once the audit log has closed", async () => {
  const { store, audit } = await scene();
  audit.record(act);
  await audit[Symbol.asyncDispose]();
  expect(await store.audit.page({}, 10)).toMatchObject([{ userId: "u", username: "ada", subject: "i" }]);
});

test("however long what was asked for and its answer are, an entry is short", async () => {
  const { store, audit } = await scene();
  audit.record({ ...act, subject: "x".repeat(10_000), detail: "y".repeat(10_000) });
  await audit[Symbol.asyncDispose]();
  const [entry] = await store.audit.page({}, 10);
  expect(JSON.stringify(entry).length).toBeLessThan(1_000);
});
