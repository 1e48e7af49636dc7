import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogLines } from "./log-lines.ts";

const textOf = (log: LogLines): string[] => log.lines.map(({ text }) => text);

function logOf(...frames: readonly (string | Uint8Array)[]): LogLines {
  const log = new LogLines();
  for (const frame of frames) log.add(typeof frame === "string" ? new TextEncoder().encode(frame) : frame);
  return log;
}

/** `bytes`, cut at `cuts`, which may be anywhere. */
function frames(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

describe("LogLines", () => {
  it("shows a line that has not come to its end yet, and is the same line when it has", () => {
    const log = logOf("one\nhal");
    const [, unfinished] = log.lines;
    log.add(new TextEncoder().encode("f\n"));
    expect(textOf(log)).toEqual(["one", "half"]);
    expect(log.lines[1]?.id).toBe(unfinished?.id);
  });

  it("keeps the last 5,000 lines", () => {
    const log = logOf(Array.from({ length: 5_200 }, (_, index) => `${index}\n`).join(""));
    expect(textOf(log)).toHaveLength(5_000);
    expect(log.lines[0]?.text).toBe("200");
    log.add(new TextEncoder().encode("more"));
    expect(textOf(log)).toHaveLength(5_000);
    expect(log.lines.at(-1)?.text).toBe("more");
  });

  it("cuts a line that has no end, and no character in two", () => {
    const line = `x${"😀".repeat(10_000)}`;
    const cut = textOf(logOf(line));
    expect(cut.length).toBeGreaterThan(1);
    expect(cut.join("")).toBe(line);
    expect(textOf(logOf(`${"x".repeat(8 * 1024)}\n`))).toHaveLength(1);
    for (const part of cut) expect(part).not.toMatch(/\p{Surrogate}/u);
  });

  it("reads the same lines whatever frames they come in", () => {
    const text = fc.string({ unit: fc.oneof(fc.constant("\n"), fc.constant("\r\n"), fc.string({ unit: "binary" })) });
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (written, cuts) => {
        const bytes = new TextEncoder().encode(written);
        expect(textOf(logOf(...frames(bytes, cuts)))).toEqual(textOf(logOf(bytes)));
      }),
    );
  });

  it("reads any bytes, and the same of them in any frames", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (bytes, cuts) => {
        // What lacks its end may still become a character.
        const whole = Uint8Array.of(...bytes, 0x0a);
        const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole).split("\n").slice(0, -1);
        expect(textOf(logOf(...frames(whole, cuts)))).toEqual(expected);
      }),
    );
  });

  it("cuts a long line at the same places in any frames", () => {
    fc.assert(
      fc.property(fc.nat({ max: 40_000 }), fc.array(fc.nat()), (length, cuts) => {
        const bytes = new TextEncoder().encode("a😀".repeat(length / 3));
        expect(textOf(logOf(...frames(bytes, cuts)))).toEqual(textOf(logOf(bytes)));
      }),
      { numRuns: 20 },
    );
  });
});
