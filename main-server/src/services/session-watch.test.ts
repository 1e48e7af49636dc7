import { expect, onTestFinished, test, vi } from "vitest";
import { createLog } from "../observe/log.ts";
import { Store } from "../store/store.ts";
import { temporaryDirectory } from "../testing/main-server.ts";
import { SessionWatch } from "./session-watch.ts";

const client = { address: "192.0.2.1", userAgent: null };
const HOUR_MS = 3_600_000;

test("what is open by a session that expires ends within a minute, and what is open by another one goes on", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const store = await Store.open(temporaryDirectory());
  onTestFinished(() => store[Symbol.asyncDispose]());
  const user = await store.accounts.add("ada", "hash");
  if (!user) throw new Error("The name is taken.");
  await store.sessions.add("short", user.id, new Date(Date.now() + 30_000), client);
  await store.sessions.add("long", user.id, new Date(Date.now() + HOUR_MS), client);
  using watch = new SessionWatch(store.sessions, createLog({ format: "json", level: "silent" }));
  const ended: string[] = [];
  for (const tokenHash of ["long", "short"]) watch.follow({ tokenHash, user, end: () => ended.push(tokenHash) });
  await watch.check();
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(60_000);
  await expect.poll(() => ended).toContain("short");
  expect(ended).not.toContain("long");
});
