import type { Container } from "@dockhost/protocol";
import type { InstanceRecord, InstancesStore } from "../store/instances-store.ts";

const REMOVED = "Its container is no longer on the backend: it was removed there, not by DockHost.";

/** How far a backend's clock may be behind ours. */
const CLOCK_SKEW_MS = 10 * 60_000;

/**
 * Corrects a record from what its backend says there is: the container, or that there is none.
 * A create that is not settled is left alone, unless this container is certainly its own.
 */
export async function correct(store: InstancesStore, record: InstanceRecord, container?: Container): Promise<void> {
  if (container) {
    if (isItsOwn(record, container) && !isRecorded(record, container))
      await store.settle(record.id, container, reasonFor(container));
  } else if (record.pendingCommand === "delete-container") {
    await store.remove(record.id);
  } else if (record.state !== "creating" && record.state !== "gone") {
    await store.markGone(record.id, REMOVED);
  }
}

/** A container that stood there before the create was asked for is not what that create made. */
export function isItsOwn(record: InstanceRecord, container: Container): boolean {
  if (container.username !== record.username) return false;
  if (record.state === "gone") return container.containerId === record.containerId;
  return record.state !== "creating" || Date.parse(container.createdAt) > Date.parse(record.createdAt) - CLOCK_SKEW_MS;
}

/** Why a container is not running; null where it is. */
export function reasonFor({ state, exitCode, oomKilled }: Container): string | null {
  if (state === "running") return null;
  const exit = exitCode === undefined ? state : `exit ${exitCode}`;
  if (oomKilled) return exitCode === undefined ? "out of memory" : `out of memory, ${exit}`;
  return state === "failed" ? exit : state;
}

function isRecorded(record: InstanceRecord, container: Container): boolean {
  return (
    record.pendingCommand === null &&
    record.state === container.state &&
    record.stateReason === reasonFor(container) &&
    record.containerId === container.containerId &&
    record.ports?.ssh === container.ports.ssh &&
    record.hostKeyFingerprint === (container.ssh?.hostKeyFingerprint ?? record.hostKeyFingerprint)
  );
}
