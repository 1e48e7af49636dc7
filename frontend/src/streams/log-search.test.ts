import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFound, marked, searchFor } from "./log-search.ts";
import type { Piece } from "./log-piece.ts";
import { readable } from "./log-text.ts";

/** With what is found in brackets. */
function inBrackets(line: string, words: string): string {
  const pieces = marked(readable(line), searchFor(words));
  return pieces.map(({ text, isHit }) => (isHit ? `[${text}]` : text)).join("");
}

describe("a search", () => {
  it("marks every match, whatever its case", () => {
    expect(inBrackets("Error: an error, ERROR.", "error")).toBe("[Error]: an [error], [ERROR].");
    expect(inBrackets("aaaa", "aa")).toBe("[aa][aa]");
    expect(inBrackets("nothing", "x")).toBe("nothing");
  });

  it("takes signs as they stand", () => {
    expect(inBrackets("a.b [c] (d) a+b", "a.b")).toBe("[a.b] [c] (d) a+b");
    for (const sign of "\\^$.*+?()[]{}|/-&")
      expect(isFound(readable(`x${sign}y`), searchFor(sign) ?? /never^/)).toBe(true);
  });

  it("finds what reaches over a change of colour", () => {
    expect(inBrackets("con\x1b[31mnec\x1b[0mted", "nnecte")).toBe("co[n][nec][te]d");
  });

  it("finds in any line what is in it, and shows no other text than without", () => {
    const line = fc.array(fc.string({ maxLength: 5 }).map((text): Piece => ({ text })));
    fc.assert(
      fc.property(line, fc.nat(), fc.integer({ min: 1, max: 6 }), (pieces, at, length) => {
        const whole = pieces.map(({ text }) => text).join("");
        const words = whole.slice(at % (whole.length + 1)).slice(0, length);
        const search = searchFor(words);
        const found = marked(pieces, search);
        expect(found.map(({ text }) => text).join("")).toBe(whole);
        if (!search) return;
        expect(isFound(pieces, search)).toBe(true);
        expect(found.some(({ isHit }) => isHit)).toBe(true);
      }),
    );
  });
});
