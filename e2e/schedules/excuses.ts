/** A backend passes over a triple for a minute after Docker was refused a port of it, which may be while it is held, ms. */
const PASSED_OVER_MS = 90_000;

/** What replies may show while it lasts, and for some time after. */
export type Trouble = "engine" | "ports" | "ending";
const TROUBLE_LASTS_MS = 20_000;

/** What has been done to a world, as far as it excuses what is found there. */
export class Excuses {
  readonly #troubles = new Map<Trouble, { lasting: number; endedAt: number }>();
  /** First ports of triples of which another process has held one, and since when. */
  readonly #stolenAt = new Map<number, number>();
  #scheduleBeganAt = 0;
  #engineCrashed = false;
  #engineMayLeak = false;

  /** A schedule begins: what befell earlier ones excuses it only where it lasts. */
  begin(): void {
    this.#scheduleBeganAt = performance.now();
    this.#engineCrashed = false;
  }

  /** Whether the Engine has ever died: what it leaks then outlives the schedule. */
  get engineMayLeak(): boolean {
    return this.#engineMayLeak;
  }

  /** The Engine dies, be it without power. */
  noteCrash(): void {
    this.#engineCrashed = true;
    this.#engineMayLeak = true;
  }

  /** Another process holds that port until everything is healed. */
  noteTheft(port: number): void {
    this.#troubleBegins("ports");
    for (const base of [port, port - 1, port - 2]) this.#stolenAt.set(base, performance.now());
  }

  /** While it lasts, and for some time after, replies may tell of `trouble`. */
  async during<T>(trouble: Trouble, work: () => Promise<T>): Promise<T> {
    this.#troubleBegins(trouble);
    try {
      return await work();
    } finally {
      const { lasting } = this.#trouble(trouble);
      this.#troubles.set(trouble, { lasting: Math.max(0, lasting - 1), endedAt: performance.now() });
    }
  }

  /** Everything is healed: replies tell of no trouble any more. */
  endTroubles(): void {
    this.#troubles.clear();
  }

  isTroubled(trouble: Trouble): boolean {
    const { lasting, endedAt } = this.#trouble(trouble);
    return lasting > 0 || performance.now() - endedAt < TROUBLE_LASTS_MS;
  }

  /** Whether a start may have had to move a container away from that triple. */
  readonly mayMove = (base: number): boolean =>
    this.#engineCrashed || this.#wasStolenSince(base, this.#scheduleBeganAt);

  /** Whether the next create may leave that triple out though it is free. */
  mayPassOver(base: number): boolean {
    // An Engine that has died may keep the first ones to itself.
    return this.#engineMayLeak || this.#wasStolenSince(base, performance.now() - PASSED_OVER_MS);
  }

  #troubleBegins(trouble: Trouble): void {
    const { lasting } = this.#trouble(trouble);
    this.#troubles.set(trouble, { lasting: lasting + 1, endedAt: performance.now() });
  }

  #trouble(trouble: Trouble): { lasting: number; endedAt: number } {
    return this.#troubles.get(trouble) ?? { lasting: 0, endedAt: -Infinity };
  }

  #wasStolenSince(base: number, since: number): boolean {
    return (this.#stolenAt.get(base) ?? -Infinity) > since;
  }
}
