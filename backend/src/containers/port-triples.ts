import { createServer } from "node:net";
import type { Ports } from "@dockhost/protocol";
import { steps } from "../observe/steps.ts";
import { DockHostError } from "./errors.ts";

export interface PortRange {
  first: number;
  last: number;
}

export interface Lease {
  /** The first port of the triple. */
  base: number;
  /** The holder that had it as a spare one: to be taken over, or removed before anything else can listen there. */
  spare?: string;
}

export type PortProbe = (port: number) => Promise<boolean>;

const step = steps("ports");

/** How long a triple that the Engine refused is passed over, ms: long enough not to meet it again at each create. */
const REFUSAL_MEMORY_MS = 60_000;

/** The triple whose first port is `base`. */
export const portsOf = (base: number): Ports => ({ ssh: base, http: base + 1, https: base + 2 });

/**
 * Who holds which three consecutive ports. A triple has one holder from before its first probe until it is released,
 * so two holders never overlap, whether their containers run, are stopped, or are still being made.
 */
export class PortTriples {
  readonly #range: PortRange;
  readonly #isFree: PortProbe;
  readonly #holders = new Map<string, number>();
  /** The same by base, for a search that passes hundreds of them. */
  readonly #holdersOf = new Map<number, Set<string>>();
  /** Holders that are nobody's: whoever wants a triple has it before them. */
  readonly #spares = new Set<string>();
  readonly #refusedAt = new Map<number, number>();

  constructor(range: PortRange, isFree: PortProbe = canBind) {
    this.#range = range;
    this.#isFree = isFree;
  }

  /**
   * Gives `holder` the lowest triple whose three ports are all free, or the first from `searchFrom` upward; past the end
   * of the range the search begins anew. Those of a spare holder count as free, and it is spare no longer. Throws
   * NO_FREE_PORTS.
   */
  async lease(holder: string, searchFrom = this.#range.first): Promise<Lease> {
    return step.time(`lease for ${holder}`, () => this.#lease(holder, searchFrom));
  }

  /** As `lease`, but past spare holders too; undefined where no triple lower than `below` is free. */
  async leaseBelow(holder: string, below = Infinity): Promise<number | undefined> {
    const { first, last } = this.#range;
    return (await this.#search(holder, basesBetween(first, Math.min(last, below + 1)), new Set()))?.base;
  }

  /** Whether `base` is the first port of a triple that this range gives. */
  gives(base: number): boolean {
    const { first, last } = this.#range;
    return base >= first && base + 2 <= last && (base - first) % 3 === 0;
  }

  /** What `holder` has counts as free until it is kept. */
  offer(holder: string): void {
    this.#spares.add(holder);
  }

  keep(holder: string): void {
    this.#spares.delete(holder);
  }

  /** Notes a triple that is held already, by a container that exists. */
  hold(holder: string, base: number): void {
    this.#letGo(holder);
    this.#holders.set(holder, base);
    const there = this.#holdersOf.get(base);
    if (there) there.add(holder);
    else this.#holdersOf.set(base, new Set([holder]));
  }

  get holders(): string[] {
    return [...this.#holders.keys()];
  }

  release(holder: string): void {
    this.#letGo(holder);
    this.#spares.delete(holder);
  }

  /** The Engine could not bind a triple that looked free: it is passed over for a while. */
  refuse(base: number): void {
    this.#refusedAt.set(base, performance.now());
  }

  async #lease(holder: string, searchFrom: number): Promise<Lease> {
    const found = await this.#search(holder, this.#candidates(searchFrom), this.#spares);
    if (found) return found;
    const { first, last } = this.#range;
    throw new DockHostError(
      "NO_FREE_PORTS",
      `No three consecutive ports are free between ${first} and ${last} on this backend; delete a container or widen DOCKHOST_PORT_RANGE.`,
    );
  }

  /** The first of `bases` that is free but for those who are `givingWay`. */
  async #search(holder: string, bases: Iterable<number>, givingWay: ReadonlySet<string>): Promise<Lease | undefined> {
    for (const base of bases) {
      const there = this.#holdersAt(base);
      if (!there.every((one) => givingWay.has(one)) || this.#wasRefused(base)) continue;
      this.hold(holder, base);
      const [spare] = there;
      if (spare !== undefined) {
        this.keep(spare);
        return { base, spare };
      }
      const taken = await this.#firstTaken(base);
      if (taken === undefined) {
        step(`${base} leased to ${holder}`);
        return { base };
      }
      step(`${base} passed over: ${taken} is in use`);
      this.#letGo(holder);
    }
    return undefined;
  }

  *#candidates(searchFrom: number): Generator<number> {
    const { first, last } = this.#range;
    const begin = first + 3 * Math.max(0, Math.ceil((searchFrom - first) / 3));
    yield* basesBetween(begin, last);
    yield* basesBetween(first, Math.min(last, begin - 1));
  }

  #holdersAt(base: number): string[] {
    const holders: string[] = [];
    for (let near = base - 2; near <= base + 2; near += 1) holders.push(...(this.#holdersOf.get(near) ?? []));
    return holders;
  }

  #letGo(holder: string): void {
    const base = this.#holders.get(holder);
    if (base === undefined) return;
    this.#holders.delete(holder);
    const there = this.#holdersOf.get(base);
    there?.delete(holder);
    if (there?.size === 0) this.#holdersOf.delete(base);
  }

  #wasRefused(base: number): boolean {
    const at = this.#refusedAt.get(base);
    return at !== undefined && performance.now() - at < REFUSAL_MEMORY_MS;
  }

  async #firstTaken(base: number): Promise<number | undefined> {
    for (const port of [base, base + 1, base + 2]) {
      if (!(await this.#isFree(port))) return port;
    }
    return undefined;
  }
}

/** The first ports of the triples from `first` to `last`, which begins one. */
function* basesBetween(first: number, last: number): Generator<number> {
  for (let base = first; base + 2 <= last; base += 3) yield base;
}

/**
 * Whether nobody listens on `port` at any address. Binding `::` meets IPv4 listeners too, and costs 0.03 ms where
 * asking `ss` costs 6; without IPv6 the IPv4 wildcard serves.
 */
export async function canBind(port: number): Promise<boolean> {
  const code = await bindError(port, "::");
  return code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"
    ? (await bindError(port, "0.0.0.0")) === undefined
    : code === undefined;
}

function bindError(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
