import { expect, vi } from "vitest";
import { firstOf } from "./ports.ts";
import type { Site } from "./site.ts";

/** A triple that was found taken is passed over for a minute, and the pool stands above it so long, ms. */
const WITHIN_MS = 90_000;

/**
 * Waits until `count` containers stand ready, by the backend's word and by Docker's, and the next creates get them: a free
 * triple below theirs would come first, with nothing made ahead. Answers their names.
 */
export async function standing(site: Site, count: number): Promise<string[]> {
  return vi.waitFor(
    async () => {
      expect(site.connection.said.latest("backend-status")?.usage.warmSlots).toBe(count);
      const containers = await site.containers();
      const ready = containers.filter(({ isClaimed }) => !isClaimed);
      const claimed = containers.filter(({ isClaimed }) => isClaimed).map(({ base }) => base);
      expect(ready.map(({ base }) => base).sort(upward)).toEqual(lowest(count, firstOf(site.portRange), claimed));
      // What was told may be of those before: Docker lists one that it is still making, and does not know it yet.
      expect(ready.every(({ isRunning }) => isRunning)).toBe(true);
      return ready.map(({ name }) => name);
    },
    { timeout: WITHIN_MS, interval: 50 },
  );
}

/** The first ports of the `count` lowest triples from `first` upward that are not `claimed`. */
function lowest(count: number, first: number, claimed: readonly number[]): number[] {
  const all = Array.from({ length: count + claimed.length }, (_, index) => first + 3 * index);
  return all.filter((base) => !claimed.includes(base)).slice(0, count);
}

const upward = (one: number, other: number): number => one - other;
