/** Says how far the bench is: one line that counts on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** A listener that is told how many of all are done. */
  of(title: string): (done: number, total: number) => void {
    return (done, total) => {
      const every = this.#out.isTTY ? 1 : Math.ceil(total / 4);
      if (done % every !== 0 && done !== total) return;
      const line = `… ${title}: ${done} of ${total}`;
      if (!this.#out.isTTY) this.#out.write(`${line}\n`);
      else this.#out.write(`\r\u001B[K${done === total ? "" : line}`);
    };
  }
}
