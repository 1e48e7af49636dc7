import { expect, vi } from "vitest";
import type { Container } from "@dockhost/protocol";
import type { Site } from "../support/site.ts";

/** What there should be of a user: a container in that state, or none. */
export type Expected = Container["state"] | "absent";

/**
 * One container for each user who should have one and none for others (I1), each labelled and with a port triple of its
 * own (I2, I4), and nothing else of this backend's: no unnamed container but those that it keeps ready, no directory
 * without one, no image of a move but those that its containers are made of (I5).
 */
export async function expectInvariants(site: Site, expected: Readonly<Record<string, Expected>>): Promise<void> {
  const present = Object.entries(expected).filter(([, state]) => state !== "absent");
  const names = present.map(([username]) => `dockhost-${username}`).sort();
  await vi.waitFor(
    async () => {
      const [found, spare] = [await site.containerNames(), await site.unclaimed()];
      expect(found.filter((name) => !spare.includes(name)).sort()).toEqual(names);
      // What has no name is what the backend keeps ready, and tells.
      expect(site.connection.said.latest("backend-status")?.usage.warmSlots).toBe(spare.length);
      expect(await site.slotDirectories()).toHaveLength(names.length + spare.length);
      expect(await imagesOfMoves(site)).toEqual(await imagesInUse(site));
    },
    { timeout: 90_000, interval: 250 },
  );
  const { containers } = await site.connection.succeed("list-containers", {});
  expect(Object.fromEntries(containers.map(({ username, state }) => [username, state]))).toEqual(
    Object.fromEntries(present),
  );
  const ports = containers.flatMap((container) => Object.values(container.ports));
  expect(new Set(ports).size).toBe(3 * present.length);
}

/** A commit hands the container's labels down to the image. */
async function imagesOfMoves(site: Site): Promise<string[]> {
  return (await site.engineApi.images({ label: await site.label() })).sort();
}

async function imagesInUse(site: Site): Promise<string[]> {
  const images = (await site.engineApi.containers(await site.label())).map(({ image }) => image);
  return images.filter((image) => image.startsWith("dockhost/moved:")).sort();
}
