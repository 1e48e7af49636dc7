import type { Piece } from "./log-piece.ts";

export interface FoundPiece extends Piece {
  readonly isHit: boolean;
}

/** Finds `words` as they stand, whatever their case. Undefined where nothing is sought. */
export function searchFor(words: string): RegExp | undefined {
  return words === "" ? undefined : new RegExp(words.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
}

export const isFound = (pieces: readonly Piece[], search: RegExp): boolean => wholeText(pieces).search(search) >= 0;

/** The pieces, cut where what is found begins and ends; it may reach over several. */
export function marked(pieces: readonly Piece[], search: RegExp | undefined): readonly FoundPiece[] {
  if (!search) return pieces.map((piece) => ({ ...piece, isHit: false }));
  const edges = [...wholeText(pieces).matchAll(search)].flatMap(({ index, 0: hit }) => [index, index + hit.length]);
  let start = 0;
  return pieces.flatMap((piece) => {
    const end = start + piece.text.length;
    const cuts = [start, ...edges.filter((edge) => edge > start && edge < end), end];
    const from = start;
    start = end;
    const parts = cuts.slice(0, -1).map((cut, index) => ({
      ...piece,
      text: piece.text.slice(cut - from, (cuts[index + 1] ?? end) - from),
      // Behind an odd number of edges one has begun that has not ended.
      isHit: edges.filter((edge) => edge <= cut).length % 2 === 1,
    }));
    return parts.filter(({ text }) => text !== "");
  });
}

const wholeText = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join("");
