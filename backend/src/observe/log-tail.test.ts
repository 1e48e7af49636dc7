import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { LogTail } from "./log-tail.ts";

const filled = (lines: number): LogTail => {
  const tail = new LogTail();
  for (let line = 1; line <= lines; line += 1) tail.write(`${line}\n`);
  return tail;
};

it("the log's tail tells its last lines, as many as are asked for and kept", async () => {
  expect(await text(filled(5).read({ tail: 2, follow: false }))).toBe("4\n5\n");
  expect(await text(filled(5).read({ tail: 0, follow: false }))).toBe("");
  const kept = (await text(filled(5_000).read({ tail: 10_000, follow: false }))).split("\n");
  expect(kept[0]).toBe("4001");
});

it("a follower hears each line from then on, until it goes", async () => {
  const tail = filled(2);
  const follower = tail.read({ tail: 1, follow: true });
  tail.write("3\n");
  const heard: string[] = [];
  follower.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
  await expect.poll(() => heard.join("")).toBe("2\n3\n");
  follower.destroy();
  await new Promise((resolve) => follower.once("close", resolve));
  tail.write("4\n");
  expect(heard.join("")).toBe("2\n3\n");
});

it("a follower who does not read costs no more than a bounded lag", () => {
  const tail = new LogTail();
  const follower = tail.read({ tail: 0, follow: true });
  for (let line = 0; line < 10_000; line += 1) tail.write("x".repeat(1_000));
  expect(follower.readableLength).toBeLessThan(1.1 * 1024 * 1024);
});
