import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataDirectory } from "./data-directory.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "dockhost-data-"));
});
afterEach(() => rm(path, { recursive: true }));

it("holds nothing that a killed agent was about to put in place, and whatever else it has left", async () => {
  const keys = join(path, "slots", "one", "keys");
  await mkdir(keys, { recursive: true });
  const halfWritten = [join(path, "operations.log.5f1d428c.tmp"), join(keys, "authorized_keys.88aa9be1.tmp")];
  const whole = [join(path, "operations.log"), join(keys, "authorized_keys")];
  await Promise.all([...halfWritten, ...whole].map((file) => writeFile(file, "text")));
  await using data = await DataDirectory.open(path);
  expect(data.path).toBe(path);
  for (const file of halfWritten) await expect(access(file)).rejects.toMatchObject({ code: "ENOENT" });
  for (const file of whole) expect(await readFile(file, "utf8")).toBe("text");
});

it("leaves alone what an agent that works there is about to put in place", async () => {
  await using data = await DataDirectory.open(path);
  const file = join(data.path, "operations.log.5f1d428c.tmp");
  await writeFile(file, "text");
  await expect(DataDirectory.open(path)).rejects.toThrow("Another backend works in");
  expect(await readFile(file, "utf8")).toBe("text");
});
