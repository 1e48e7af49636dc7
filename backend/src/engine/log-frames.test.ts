import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { WithoutFrames } from "./log-frames.ts";

function framed(stream: number, piece: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(piece.length, 4);
  return Buffer.concat([head, piece]);
}

function cut(whole: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    parts.push(whole.subarray(at, at + size));
    at += size;
  }
  return [...parts, whole.subarray(at)];
}

it("a log in frames is the pieces of both its streams in their order, wherever the network has cut it", async () => {
  const pieces = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })), { maxLength: 12 });
  const sizes = fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(pieces, sizes, async (given, cuts) => {
      const whole = Buffer.concat(given.map(([stream, piece]) => framed(stream, Buffer.from(piece))));
      const log = Readable.from(cut(whole, cuts), { objectMode: false }).pipe(new WithoutFrames());
      expect(await buffer(log)).toEqual(Buffer.concat(given.map(([, piece]) => piece)));
    }),
    { numRuns: 500 },
  );
});
