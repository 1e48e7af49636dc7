import { Username } from "@dockhost/protocol";
import type { ContainerSummary } from "../engine/engine.ts";

export const LABELS = {
  managed: "dockhost.managed",
  backend: "dockhost.backend",
  slot: "dockhost.slot",
  /** First port of the triple. */
  ports: "dockhost.ports",
  spec: "dockhost.spec",
  /** Of an image: the directory where it reads `authorized_keys`. */
  keys: "dockhost.keys",
} as const;

const SLOT_PREFIX = "dockhost.slot.";
const USER_PREFIX = "dockhost-";

export const slotName = (slot: string): string => SLOT_PREFIX + slot;
/** Of an image that was made of a container to move it. */
export const MOVED_PREFIX = "dockhost/moved:";

export const userContainerName = (username: string): string => USER_PREFIX + username;

/** What a container is to the backend `backendId`. */
export type Ownership =
  | { kind: "claimed"; username: string; slot: string; base: number }
  | { kind: "unclaimed"; slot: string; base: number }
  /** Bears our labels under a name that we never give, such as a copy made by hand: reported, never touched. */
  | { kind: "foreign" };

type Labelled = Pick<ContainerSummary, "labels">;
/** What tells whose a container is. */
export type Identified = Labelled & Pick<ContainerSummary, "name">;

/** Whether it was made by the backend `backendId`, or is a copy of what was. */
export const bearsIdOf = ({ labels }: Labelled, backendId: string): boolean => labels[LABELS.backend] === backendId;

/**
 * Ours is only what bears this backend's id **and** one of the two name forms: `docker commit` and `run` hand labels
 * down to copies, and anyone may give any name.
 */
export function ownership(container: Identified, backendId: string): Ownership {
  const slot = container.labels[LABELS.slot];
  const base = baseOf(container);
  if (!bearsIdOf(container, backendId) || slot === undefined || base === undefined) return { kind: "foreign" };
  if (container.name === slotName(slot)) return { kind: "unclaimed", slot, base };
  const username = usernameIn(container.name);
  return username === undefined ? { kind: "foreign" } : { kind: "claimed", username, slot, base };
}

/** The first port of the triple that the container's label names. */
export function baseOf({ labels }: Labelled): number | undefined {
  const base = Number(labels[LABELS.ports]);
  return Number.isInteger(base) && base >= 1 && base <= 65_533 ? base : undefined;
}

function usernameIn(name: string): string | undefined {
  if (!name.startsWith(USER_PREFIX)) return undefined;
  const parsed = Username.safeParse(name.slice(USER_PREFIX.length));
  return parsed.success ? parsed.data : undefined;
}
