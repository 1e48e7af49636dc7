import type { ShownHostKey } from "./host-key.ts";
import type { PortTriples } from "./port-triples.ts";

/** A slot whose container runs and answers, and which is nobody's. */
export interface SpareSlot {
  slot: string;
  base: number;
  containerId: string;
  /** By what it was made, as its label `dockhost.spec` says. */
  spec: string;
  /** Its host key. */
  shown: ShownHostKey;
}

interface Entry {
  /** Undefined where it comes to nothing. */
  readonly ready: Promise<SpareSlot | undefined>;
  spare?: SpareSlot;
  isTaken?: true;
}

/** The spare slots there are, also those still in the making; who comes first takes one. */
export class SpareSlots {
  readonly #triples: PortTriples;
  readonly #onChange: () => void;
  readonly #entries = new Map<string, Entry>();

  /** `onChange` is called whenever there are more or fewer that stand ready. */
  constructor(triples: PortTriples, onChange: () => void) {
    this.#triples = triples;
    this.#onChange = onChange;
  }

  /** `making` may come to nothing. */
  add(slot: string, making: Promise<SpareSlot | undefined>): void {
    const ready = making.catch(() => undefined);
    const entry: Entry = { ready };
    this.#entries.set(slot, entry);
    this.#triples.offer(slot);
    void ready.then((spare) => {
      if (!spare) {
        this.drop(slot);
        return;
      }
      entry.spare = spare;
      this.#onChange();
    });
  }

  /** Until it was dropped, also after it was taken. */
  has(slot: string): boolean {
    return this.#entries.has(slot);
  }

  /** Those that stand ready. */
  get ready(): SpareSlot[] {
    return this.#untaken.flatMap(({ spare }) => spare ?? []);
  }

  /** With those in the making. */
  get size(): number {
    return this.#untaken.length;
  }

  /**
   * Waits until it is made, and offers it to nobody else meanwhile; to be dropped then. Undefined where it comes to
   * nothing, or was taken.
   */
  async take(slot: string): Promise<SpareSlot | undefined> {
    const entry = this.#entries.get(slot);
    if (!entry || entry.isTaken) return undefined;
    entry.isTaken = true;
    this.#triples.keep(slot);
    this.#onChange();
    return entry.ready;
  }

  drop(slot: string): void {
    const stoodReady = this.#entries.get(slot)?.spare !== undefined;
    this.#entries.delete(slot);
    this.#triples.keep(slot);
    if (stoodReady) this.#onChange();
  }

  get #untaken(): Entry[] {
    return [...this.#entries.values()].filter(({ isTaken }) => !isTaken);
  }
}
