import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { leftovers, nameOfOwn } from "./ownership.ts";

test("what is of this very process is nobody's leftover", async () => {
  expect(await leftovers("thing", [nameOfOwn("thing")])).toEqual([]);
});

test("what is of a process that has ended is left over, also while nobody has taken note of its end", async () => {
  // The shell becomes a program that does not ask what became of its child.
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void parent.kill());
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  const stat = () => readFile(`/proc/${pid}/stat`, "utf8");
  const name = `thing-${pid}-${(await stat()).split(" ")[21]}-0123abcd`;
  expect(await leftovers("thing", [name])).toEqual([]);
  process.kill(pid);
  await expect.poll(stat).toMatch(/\) Z /);
  expect(await leftovers("thing", [name])).toEqual([name]);
});
