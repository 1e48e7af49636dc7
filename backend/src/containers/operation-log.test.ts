import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OperationLog, requestHash } from "./operation-log.ts";

const ID = "2b9f6a4e-6a2f-4e53-9d7f-0f4f4a1c1f11";
const SUCCESS = {
  operationId: ID,
  command: "create-container",
  requestHash: "h1",
  containerId: "0123456789ab",
  ports: { ssh: 1024, http: 1025, https: 1026 },
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dockhost-operations-"));
});
afterEach(() => rm(directory, { recursive: true }));

const path = () => join(directory, "operations.log");

describe("an operation that succeeded", () => {
  it("is known after a restart, from a file that only its owner may read", async () => {
    const before = await OperationLog.open(directory);
    await before.record(SUCCESS);
    await before[Symbol.asyncDispose]();
    await using after = await OperationLog.open(directory);
    expect(await after.find(ID, "h1")).toMatchObject(SUCCESS);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it("is on disk before its record resolves", async () => {
    await using log = await OperationLog.open(directory);
    await log.record(SUCCESS);
    expect(await readFile(path(), "utf8")).toContain(ID);
  });

  it("waits for the disk together with those that succeed while it is written", async () => {
    await using log = await OperationLog.open(directory);
    const success = (nth: number) => log.record({ ...SUCCESS, operationId: `nth ${nth}` });
    const syncs = await counted("datasync", () => Promise.all(Array.from({ length: 20 }, (_, nth) => success(nth))));
    expect(syncs).toBeGreaterThan(0);
    expect(syncs).toBeLessThanOrEqual(2);
    for (let nth = 0; nth < 20; nth += 1) {
      expect(await log.find(`nth ${nth}`, "h1")).toMatchObject({ operationId: `nth ${nth}` });
    }
  });

  it("is forgotten after 24 hours, and its line with it", async () => {
    const line = (operationId: string, hoursAgo: number) =>
      `${JSON.stringify({ ...SUCCESS, operationId, at: new Date(Date.now() - hoursAgo * 3_600_000).toISOString() })}\n`;
    await writeFile(path(), line("old", 25) + line("young", 23));
    await using log = await OperationLog.open(directory);
    expect(await log.find("old", "h1")).toBeUndefined();
    expect(await log.find("young", "h1")).toMatchObject({ operationId: "young" });
    expect(await readFile(path(), "utf8")).not.toContain('"old"');
  });

  it("leaves the file to those of the last 24 hours also while the backend runs", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    await using log = await OperationLog.open(directory);
    for (let day = 0; day < 12; day += 1) {
      const today = Array.from({ length: 200 }, (_, index) => ({ ...SUCCESS, operationId: `day ${day}, ${index}` }));
      await Promise.all(today.map((success) => log.record(success)));
      vi.advanceTimersByTime(25 * 3_600_000);
    }
    await log.record(SUCCESS);
    vi.useRealTimers();
    const lines = (await readFile(path(), "utf8")).trim().split("\n");
    expect(lines.length).toBeLessThan(1_500);
    expect(lines.at(-1)).toContain(ID);
    expect(lines.join("")).toContain("day 11, 199");
  });

  it("is found wherever its line has moved to", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    const names = (day: string, count: number) => Array.from({ length: count }, (_, index) => `${day} ${index}`);
    const success = (operationId: string) => ({ ...SUCCESS, operationId, requestHash: `hash of ${operationId}` });
    const lines = (operationIds: string[], minutesAgo: number) => {
      const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
      return operationIds.map((operationId) => `${JSON.stringify({ ...success(operationId), at })}\n`).join("");
    };
    await writeFile(path(), lines(names("yesterday", 1_100), 24 * 60 - 5) + lines(names("today", 5), 60));
    await using log = await OperationLog.open(directory);
    const { size: before } = await stat(path());
    expect(await log.find("yesterday 1099", "hash of yesterday 1099")).toMatchObject({ operationId: "yesterday 1099" });
    vi.advanceTimersByTime(10 * 60_000);
    await log.record(success("now 0"));
    await log.record(success("now 1"));
    vi.useRealTimers();
    expect((await stat(path())).size).toBeLessThan(before / 10);
    for (const name of [...names("today", 5), ...names("now", 2)]) {
      expect(await log.find(name, `hash of ${name}`)).toMatchObject({ operationId: name });
    }
    expect(await log.find("yesterday 0", "hash of yesterday 0")).toBeUndefined();
  });

  it("is found although a write before it or behind it was cut short by a full disk", async () => {
    await using log = await OperationLog.open(directory);
    const success = (operationId: string) => ({ ...SUCCESS, operationId });
    await expect(cutShort(() => log.record(success("first")))).rejects.toThrow("no space");
    await log.record(success("second"));
    await expect(cutShort(() => log.record(success("third")))).rejects.toThrow("no space");
    await log.record(success("fourth"));
    expect(await log.find("second", "h1")).toMatchObject({ operationId: "second" });
    expect(await log.find("fourth", "h1")).toMatchObject({ operationId: "fourth" });
    expect(await log.find("first", "h1")).toBeUndefined();
    expect((await readFile(path(), "utf8")).match(/"operationId"/g)).toHaveLength(2);
  });

  it("is not taken for another one where the file was changed by hand", async () => {
    await using log = await OperationLog.open(directory);
    await log.record(SUCCESS);
    await writeFile(path(), "");
    await expect(log.find(ID, "h1")).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("is known although a crash cut the line behind it short", async () => {
    const before = await OperationLog.open(directory);
    await before.record(SUCCESS);
    await before[Symbol.asyncDispose]();
    await appendFile(path(), '{"operationId":"torn","comm');
    await using after = await OperationLog.open(directory);
    expect(await after.find(ID, "h1")).toMatchObject(SUCCESS);
    expect(await after.find("torn", "h1")).toBeUndefined();
  });
});

describe("an operationId", () => {
  it("means one request: another body is CONFLICT, while the first runs and after it succeeded", async () => {
    await using log = await OperationLog.open(directory);
    const first = log.exclusively(ID, "h1", async () => {
      await expect(log.exclusively(ID, "h2", () => Promise.resolve())).rejects.toMatchObject({ code: "CONFLICT" });
      await log.record(SUCCESS);
    });
    await first;
    const repeat = (hash: string) => log.exclusively(ID, hash, () => log.find(ID, hash));
    await expect(repeat("h2")).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(repeat("h1")).resolves.toMatchObject(SUCCESS);
  });

  it("means one request for as long as anybody asks for it", async () => {
    await using log = await OperationLog.open(directory);
    let finish: () => void = () => undefined;
    const second = log.exclusively(ID, "h1", () => new Promise<void>((resolve) => (finish = resolve)));
    await expect(log.exclusively(ID, "h1", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(log.exclusively(ID, "h2", () => Promise.resolve())).rejects.toMatchObject({ code: "CONFLICT" });
    finish();
    await second;
  });

  it("whose operation failed may be used again, with any body", async () => {
    await using log = await OperationLog.open(directory);
    await expect(log.exclusively(ID, "h1", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(log.exclusively(ID, "h2", () => Promise.resolve("yes"))).resolves.toBe("yes");
  });
});

describe("two requests are the same", () => {
  const request = { username: "ada", sshPublicKeys: ["k"], operationId: ID };

  it("whatever their operationId", () => {
    const other = { ...request, operationId: "other" };
    expect(requestHash("create-container", request)).toBe(requestHash("create-container", other));
  });

  it("but not with another command or another field", () => {
    const bobs = { ...request, username: "bob" };
    expect(requestHash("create-container", request)).not.toBe(requestHash("start-container", request));
    expect(requestHash("create-container", request)).not.toBe(requestHash("create-container", bobs));
  });
});

/** Runs `work`, in which the disk takes half of what is appended. */
async function cutShort(work: () => Promise<void>): Promise<void> {
  await using file = await open(path(), "r");
  const handles = Object.getPrototypeOf(file) as FileHandle;
  const append = vi.spyOn(handles, "appendFile").mockImplementation(async function (this: FileHandle, line) {
    await this.write(String(line).slice(0, 40));
    throw new Error("no space left on device");
  });
  await work().finally(() => append.mockRestore());
}

/** How often `work` has called that method of a file. */
async function counted(method: "datasync", work: () => Promise<unknown>): Promise<number> {
  await using file = await open(path(), "r");
  const calls = vi.spyOn(Object.getPrototypeOf(file) as FileHandle, method);
  try {
    await work();
    return calls.mock.calls.length;
  } finally {
    calls.mockRestore();
  }
}
