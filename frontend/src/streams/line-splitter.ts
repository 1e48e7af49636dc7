/** Bytes of UTF-8, in frames that are cut anywhere, become lines. A line of more than `lineCharsMax` is cut into several. */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #lineCharsMax: number;
  #unfinished = "";

  /** In UTF-16 code units. */
  constructor(lineCharsMax: number) {
    this.#lineCharsMax = lineCharsMax;
  }

  /** What has come since the last line's end. */
  get unfinished(): string {
    return this.#unfinished;
  }

  /** The lines that these bytes finish. */
  take(bytes: Uint8Array): string[] {
    const [first = "", ...rest] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    const lines = [this.#unfinished + first, ...rest].flatMap((line) => this.#cut(line));
    this.#unfinished = lines.pop() ?? "";
    return lines;
  }

  #cut(line: string): string[] {
    const parts: string[] = [];
    let rest = line;
    while (rest.length > this.#lineCharsMax) {
      const end = this.#lineCharsMax - (isHighSurrogate(rest.charCodeAt(this.#lineCharsMax - 1)) ? 1 : 0);
      parts.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return [...parts, rest];
  }
}

/** The first half of a character, which nothing may come after but its other half. */
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
