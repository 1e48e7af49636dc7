import type { BackendStatus } from "@dockhost/protocol";

/** A backend that the caller may use and that is online. */
export interface Candidate {
  backendId: string;
  /** Undefined between its connection and its first report. */
  status: BackendStatus | undefined;
  /** Creates under way, which its report does not count yet. */
  creating: number;
  /** Whether the caller has an instance there already. */
  occupied: boolean;
}

export type Placement =
  | { kind: "placed"; backendId: string }
  /** Nobody is there; those without the caller have no room, or no Docker; or the caller is on all of them. */
  | { kind: "no-backend" }
  | { kind: "full" }
  | { kind: "no-engine" }
  | { kind: "occupied" };

/** The backend with the most free capacity, then with the most memory available, where the caller has none yet. */
export function place(candidates: readonly Candidate[]): Placement {
  if (candidates.length === 0) return { kind: "no-backend" };
  const withRoom = candidates.filter(hasRoom);
  const [best] = withRoom.filter(({ occupied }) => !occupied).sort(byFreeCapacity);
  if (best) return { kind: "placed", backendId: best.backendId };
  const free = candidates.filter(({ occupied }) => !occupied);
  if (free.length === 0) return { kind: "occupied" };
  return { kind: free.every(({ status }) => status?.docker.reachable === false) ? "no-engine" : "full" };
}

/** One that has not reported yet may be asked: it refuses by itself what it cannot serve. */
function hasRoom({ status, creating }: Candidate): boolean {
  if (!status) return true;
  const expected = status.usage.containers + creating;
  return !status.draining && status.docker.reachable && expected < status.capacity.maxContainers;
}

function byFreeCapacity(one: Candidate, other: Candidate): number {
  return freeSlots(other) - freeSlots(one) || memoryOf(other) - memoryOf(one);
}

const freeSlots = ({ status, creating }: Candidate) =>
  status ? status.capacity.comfortableContainers - status.usage.containers - creating : -Number.MAX_SAFE_INTEGER;

const memoryOf = ({ status }: Candidate) => status?.usage.memoryAvailableMiB ?? 0;
