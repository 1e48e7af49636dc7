import { createServer } from "node:net";
import type { Ports } from "@dockhost/protocol";
import { steps } from "../observe/steps.ts";
import { DockHostError } from "./errors.ts";

export interface PortRange {
  first: number;
  last: number;
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
  readonly #refusedAt = new Map<number, number>();

  constructor(range: PortRange, isFree: PortProbe = canBind) {
    this.#range = range;
    this.#isFree = isFree;
  }

  /**
   * Gives `holder` the lowest triple whose three ports are all free, or the first from `searchFrom` upward; past the end
   * of the range the search begins anew. Throws NO_FREE_PORTS.
   */
  async lease(holder: string, searchFrom = this.#range.first): Promise<number> {
    return step.time(`lease for ${holder}`, () => this.#lease(holder, searchFrom));
  }

  /** Notes a triple that is held already, by a container that exists. */
  hold(holder: string, base: number): void {
    this.#holders.set(holder, base);
  }

  get holders(): string[] {
    return [...this.#holders.keys()];
  }

  release(holder: string): void {
    this.#holders.delete(holder);
  }

  /** The Engine could not bind a triple that looked free: it is passed over for a while. */
  refuse(base: number): void {
    this.#refusedAt.set(base, performance.now());
  }

  async #lease(holder: string, searchFrom: number): Promise<number> {
    for (const base of this.#candidates(searchFrom)) {
      if (this.#isHeld(base) || this.#wasRefused(base)) continue;
      this.hold(holder, base);
      const taken = await this.#firstTaken(base);
      if (taken === undefined) {
        step(`${base} leased to ${holder}`);
        return base;
      }
      step(`${base} passed over: ${taken} is in use`);
      this.release(holder);
    }
    const { first, last } = this.#range;
    throw new DockHostError(
      "NO_FREE_PORTS",
      `No three consecutive ports are free between ${first} and ${last} on this backend; delete a container or widen DOCKHOST_PORT_RANGE.`,
    );
  }

  *#candidates(searchFrom: number): Generator<number> {
    const bases: number[] = [];
    for (let base = this.#range.first; base + 2 <= this.#range.last; base += 3) bases.push(base);
    const begin = Math.max(
      0,
      bases.findIndex((base) => base >= searchFrom),
    );
    yield* bases.slice(begin);
    yield* bases.slice(0, begin);
  }

  #isHeld(base: number): boolean {
    return [...this.#holders.values()].some((held) => Math.abs(held - base) < 3);
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
