import { createServer } from "node:net";

/** Port triples for the baselines, apart from the backend's: round and round, so that none is used again at once. */
export class PortRange {
  readonly #first: number;
  readonly #last: number;
  #next: number;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
  }

  /** The first port of the next triple on which nobody listens. */
  async triple(): Promise<number> {
    for (let tried = this.#first; tried + 2 <= this.#last; tried += 3) {
      const base = this.#next;
      this.#next = base + 5 > this.#last ? this.#first : base + 3;
      const free = await Promise.all([base, base + 1, base + 2].map(isFree));
      if (free.every(Boolean)) return base;
    }
    throw new Error(`No three consecutive ports are free between ${this.#first} and ${this.#last}.`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
