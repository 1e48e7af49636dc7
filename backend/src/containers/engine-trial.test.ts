import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineDouble } from "../../test/engine-double.ts";
import { EngineTrial } from "./engine-trial.ts";
import { SlotsUnderWay } from "./slots-under-way.ts";

const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 512 * MIB, cpus: 1, pids: 512, diskBytes: 10_240 * MIB };
const IMAGE = { reference: "dockhost/instance:latest", id: "sha256:own", labels: {} };

let dataDirectory: string;
let engine: EngineDouble;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "dockhost-trial-"));
  engine = new EngineDouble();
});
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(dataDirectory, { recursive: true, force: true });
});

/** As a backend that starts in that directory has it. */
const trial = (runtime?: string): EngineTrial =>
  new EngineTrial({
    engine,
    dataDirectory,
    slotsUnderWay: new SlotsUnderWay(),
    backendId: "backend",
    profile: { limits: LIMITS, bindAddress: "0.0.0.0", runtime },
    log: pino({ enabled: false }),
  });

const triedOut = (): number => engine.calls.filter((call) => call === "create").length;

test("what an Engine honours is tried out by the first backend, and read by the next", async () => {
  const first = await trial().abilities(IMAGE);
  const tries = triedOut();
  expect(tries).toBeGreaterThan(0);
  expect(engine.containers).toHaveLength(0);

  expect(await trial().abilities(IMAGE)).toEqual(first);
  expect(triedOut()).toBe(tries);
});

test("an Engine that was started anew is tried out anew, be it by the same backend or the next", async () => {
  const same = trial();
  await same.abilities(IMAGE);
  const once = triedOut();
  engine.goAway();
  engine.comeBack();
  await same.repeat(IMAGE);
  expect(triedOut()).toBe(2 * once);
  engine.goAway();
  engine.comeBack();
  await trial().abilities(IMAGE);
  expect(triedOut()).toBe(3 * once);
});

test("another runtime is another trial", async () => {
  await trial().abilities(IMAGE);
  const tries = triedOut();
  await trial("runsc").abilities(IMAGE);
  expect(triedOut()).toBe(2 * tries);
});

test.each(["", "{", '{"of":1}', "null"])("a file that says %j costs a trial, and nothing else", async (text) => {
  await writeFile(join(dataDirectory, "engine-trial.json"), text);
  expect(await trial().abilities(IMAGE)).toEqual({ diskQuota: true, openFilesLimit: true });
  expect(triedOut()).toBeGreaterThan(0);
});

test("a data directory that takes no file costs the next backend a trial", async () => {
  await rm(dataDirectory, { recursive: true });
  expect(await trial().abilities(IMAGE)).toEqual({ diskQuota: true, openFilesLimit: true });
});
