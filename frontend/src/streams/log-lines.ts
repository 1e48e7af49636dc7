import { LineSplitter } from "./line-splitter.ts";
import type { Piece } from "./log-piece.ts";
import { readable } from "./log-text.ts";

const KEPT_LINES = 5_000;
const LINE_CHARS_MAX = 8 * 1024;

export interface LogLine {
  /** Ever greater; the same before and after the line has come to its end. */
  readonly id: number;
  /** As it was written. */
  readonly text: string;
  /** As it is shown. */
  readonly pieces: readonly Piece[];
}

/** The last lines of a log, as its bytes come. */
export class LogLines {
  readonly #splitter = new LineSplitter(LINE_CHARS_MAX);
  #finished: readonly LogLine[] = [];
  #nextId = 0;

  add(bytes: Uint8Array): void {
    const added = this.#splitter.take(bytes).map((text) => lineOf(this.#nextId++, text));
    this.#finished = [...this.#finished, ...added].slice(-KEPT_LINES);
  }

  /** The one that is not at its end yet is the last. */
  get lines(): readonly LogLine[] {
    const { unfinished } = this.#splitter;
    return unfinished === ""
      ? this.#finished
      : [...this.#finished, lineOf(this.#nextId, unfinished)].slice(-KEPT_LINES);
  }
}

const lineOf = (id: number, text: string): LogLine => ({ id, text, pieces: readable(text) });
