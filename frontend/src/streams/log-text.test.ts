import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Piece } from "./log-piece.ts";
import { readable } from "./log-text.ts";

const text = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join("");
const shown = (line: string): string => text(readable(line));

describe("a line of a log", () => {
  it("shows colours as the page's own", () => {
    expect(readable("a \x1b[1;31mred\x1b[0m b \x1b[38;5;200mpink\x1b[39m \x1b[92mgreen")).toMatchObject([
      { text: "a ", tone: undefined },
      { text: "red", tone: "bad", isStrong: true },
      { text: " b ", tone: undefined, isStrong: false },
      { text: "pink", tone: undefined },
      { text: " ", tone: undefined },
      { text: "green", tone: "good" },
    ]);
  });

  it("does not take the parts of a colour for colours", () => {
    expect(readable("\x1b[38;2;31;31;31mx")).toMatchObject([{ text: "x", tone: undefined }]);
    expect(readable("\x1b[48;5;31mx")).toMatchObject([{ text: "x", tone: undefined }]);
  });

  it.each([
    ["moves of the cursor", "a\x1b[2Jb\x1b[10;10Hc\x1b[?25l", "abc"],
    ["titles of windows", "a\x1b]0;evil\x07b\x1b]2;evil\x1b\\c", "abc"],
    ["links", "\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\", "here"],
    ["device strings", "a\x1bPq#0evil\x1b\\b", "ab"],
    ["sets of characters", "a\x1b(Bb", "ab"],
  ])("leaves out %s", (_, line, left) => {
    expect(shown(line)).toBe(left);
  });

  it("shows what a progress bar wrote last", () => {
    expect(shown("10 %\r50 %\r100 %")).toBe("100 %");
    expect(shown("10 %\r50 %\r")).toBe("50 %");
    expect(shown("plain\r")).toBe("plain");
  });

  it("shows what could act or mislead as signs", () => {
    expect(shown("a\x00b\x07c\x7f\td\x1b")).toBe("a␀b␇c␡\td␛");
    expect(shown("ab\u202egpj.exe\u009b")).toBe("ab<U+202E>gpj.exe<U+009B>");
  });

  it("lets nothing through that acts, whatever is written", () => {
    const unit = fc.oneof(fc.constantFrom("\x1b", "[", "]", ";", "m", "\x07", "\\", "P", "1", "\r"), fc.string());
    fc.assert(
      fc.property(fc.string({ unit }), (line) => {
        expect(shown(line)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });
});

describe("a line of a JSON log", () => {
  const time = new Date(2026, 10, 24, 15, 39, 5, 7);

  it("is shown in words: when, how grave, what, and the rest", () => {
    const entry = { level: "warn", time: time.toISOString(), username: "ada", ms: 12, why: "too slow", msg: "A line" };
    const pieces = readable(JSON.stringify(entry));
    expect(text(pieces)).toBe('2026-11-24 15:39:05.007 WARN  A line username=ada ms=12 why="too slow"');
    expect(pieces).toMatchObject([{ tone: "faint" }, { text: "WARN ", tone: "warn" }, {}, { tone: "faint" }]);
  });

  it("knows pino's numbers", () => {
    expect(shown(JSON.stringify({ level: 50, time: time.getTime(), msg: "No" }))).toBe(
      "2026-11-24 15:39:05.007 ERROR No",
    );
    expect(shown(JSON.stringify({ level: 35, time: time.getTime(), msg: "Own" }))).toContain(" 35    Own");
  });

  it("shows what it quotes as signs too", () => {
    expect(shown(JSON.stringify({ level: 30, time: 0, msg: "a\x1b[31mb", "k\x07": "\u202e" }))).toMatch(
      / INFO {2}a␛\[31mb k␇=<U\+202E>$/,
    );
  });

  it.each([
    '{"level":30,"time":0}',
    '{"level":30,"time":"no time","msg":"x"}',
    '{"level":{},"time":0,"msg":"x"}',
    '{"half":',
    "{}",
  ])("is left as it is where it is no entry: %s", (line) => {
    expect(shown(line)).toBe(line);
  });
});
