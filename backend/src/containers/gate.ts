import { DockHostError } from "./errors.ts";

/**
 * Holds commands back until recovery has run, and refuses them at once while the Engine is known to be away: what is
 * not known to be true is not answered.
 */
export class Gate {
  #state: "recovering" | "open" | "closed" = "recovering";
  #waiting: (() => void)[] = [];
  #opened: () => void = () => undefined;
  readonly firstOpening = new Promise<void>((resolve) => (this.#opened = resolve));

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Resolves when commands may run. Throws ENGINE_UNAVAILABLE. */
  async pass(): Promise<void> {
    while (this.#state === "recovering") await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#state === "closed") {
      throw new DockHostError(
        "ENGINE_UNAVAILABLE",
        "Docker is not reachable on the backend's machine; try again when it is back.",
      );
    }
  }

  set(state: "recovering" | "open" | "closed"): void {
    this.#state = state;
    if (state === "open") this.#opened();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
