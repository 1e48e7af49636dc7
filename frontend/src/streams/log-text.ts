import { ansiPieces } from "./ansi.ts";
import { entryPieces } from "./log-entry.ts";
import type { Piece } from "./log-piece.ts";

/** What a line says to a person: an entry of a JSON log in words, anything else in its own colours. */
export const readable = (line: string): readonly Piece[] => entryPieces(line) ?? ansiPieces(line);
