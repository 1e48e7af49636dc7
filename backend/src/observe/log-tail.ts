import { Readable } from "node:stream";

/** Lines that are kept for whoever asks what has happened. */
const KEPT_LINES = 1_000;
/** A follower who is further behind than this, in bytes, misses lines. */
const FOLLOWER_LAG_MAX = 1024 * 1024;

/** The last lines of the log, and those to come. */
export class LogTail {
  readonly #lines: string[] = [];
  readonly #followers = new Set<(line: string) => void>();

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const follower of this.#followers) follower(line);
  }

  /** The last `tail` lines, as far as they are kept; with `follow` also each that comes, until it is destroyed. */
  read({ tail, follow }: { tail: number; follow: boolean }): Readable {
    const last = tail === 0 ? [] : this.#lines.slice(-tail);
    if (!follow) return Readable.from(last, { objectMode: false });
    const stream = new Readable({ read: () => undefined });
    const follower = (line: string): void => {
      if (stream.readableLength < FOLLOWER_LAG_MAX) stream.push(line);
    };
    stream.once("close", () => this.#followers.delete(follower));
    for (const line of last) follower(line);
    this.#followers.add(follower);
    return stream;
  }
}
