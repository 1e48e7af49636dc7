import { slotName } from "./names.ts";

/** Slots that are being made, claimed or tried out: nobody's to sweep, and nothing to look at before that is done. */
export class SlotsUnderWay {
  /** Each with its container's name, or its id once that is known. */
  readonly #containers = new Map<string, string>();

  add(slot: string, container = slotName(slot)): void {
    this.#containers.set(slot, container);
  }

  delete(slot: string): void {
    this.#containers.delete(slot);
  }

  has(slot: string): boolean {
    return this.#containers.has(slot);
  }

  hasContainer(idOrName: string): boolean {
    return [...this.#containers.values()].includes(idOrName);
  }

  get slots(): ReadonlySet<string> {
    return new Set(this.#containers.keys());
  }
}
