import { harmless } from "./harmless.ts";
import type { Piece, Tone } from "./log-piece.ts";

/** ECMA-48: a control sequence (its parameters and final byte caught), a string of the terminal's, or another escape. */
const ESCAPE =
  /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[ -/]*[0-~])/g;

/** The eight colours as the page's theme has them; black and white are its ink. */
const TONES: readonly (Tone | undefined)[] = [
  undefined,
  "bad",
  "good",
  "warn",
  "accent",
  "accent",
  "accent",
  undefined,
];

interface Look {
  tone: Tone | undefined;
  isStrong: boolean;
}

const PLAIN: Look = { tone: undefined, isStrong: false };

/** A line of a terminal's output: its colours as tones, its other escapes left out, all that is left made harmless. */
export function ansiPieces(line: string): readonly Piece[] {
  const text = lastWritten(line);
  const pieces: Piece[] = [];
  let look = PLAIN;
  let at = 0;
  const add = (end: number): void => {
    if (end > at) pieces.push({ text: harmless(text.slice(at, end)), ...look });
  };
  for (const found of text.matchAll(ESCAPE)) {
    add(found.index);
    at = found.index + found[0].length;
    if (found[2] === "m") look = lookAfter(look, found[1] ?? "");
  }
  add(text.length);
  return pieces;
}

/** A line that begins anew, as that of a progress bar, shows what was written last. */
const lastWritten = (line: string): string => /[^\r]*(?=\r*$)/.exec(line)?.[0] ?? "";

/** By SGR's parameters. */
function lookAfter(before: Look, parameters: string): Look {
  let look = before;
  const codes = parameters.split(";");
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? "";
    look = lookBy(look, Number.parseInt(code || "0", 10));
    if (code === "38" || code === "48") at += codes[at + 1] === "2" ? 4 : 2;
  }
  return look;
}

function lookBy(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, isStrong: true };
  if (code === 22) return { ...look, isStrong: false };
  if (code === 2 || code === 90) return { ...look, tone: "faint" };
  if (code === 38 || code === 39) return { ...look, tone: undefined };
  if ((code >= 30 && code <= 37) || (code >= 91 && code <= 97)) return { ...look, tone: TONES[code % 10] };
  return look;
}
