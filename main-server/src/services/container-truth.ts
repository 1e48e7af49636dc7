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
    const told = keepingHostKey(record, container);
    if (isItsOwn(record, told) && !isRecorded(record, told)) await store.settle(record, told, reasonFor(told));
  } else if (record.pendingCommand === "delete-container") {
    await store.remove(record);
  } else if (record.state !== "creating" && record.state !== "gone") {
    await store.markGone(record, REMOVED);
  }
}

/** A container that stood there before the create was asked for is not what that create made. */
export function isItsOwn(record: InstanceRecord, container: Container): boolean {
  if (container.username !== record.username) return false;
  if (record.state === "gone") return container.containerId === record.containerId;
  return record.state !== "creating" || Date.parse(container.createdAt) > Date.parse(record.createdAt) - CLOCK_SKEW_MS;
}

/**
 * A container's host key is made at its first boot and stays. One that changes by mere report may be somebody's in the
 * middle: what the user was told stands, and their ssh complains.
 */
export function hasOtherHostKey(record: InstanceRecord, { containerId, ssh }: Container): boolean {
  const { containerId: recorded, hostKeyFingerprint: told } = record;
  return recorded === containerId && told !== null && ssh !== undefined && ssh.hostKeyFingerprint !== told;
}

const keepingHostKey = (record: InstanceRecord, container: Container): Container =>
  hasOtherHostKey(record, container) ? { ...container, ssh: undefined } : container;

/** Three consecutive ports, as every container has them. */
export const hasTriple = ({ ports: { ssh, http, https } }: Container): boolean => http === ssh + 1 && https === ssh + 2;

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
    record.hostKeyFingerprint === (container.ssh?.hostKeyFingerprint ?? record.hostKeyFingerprint) &&
    record.hostKey === (container.ssh ? (container.ssh.hostKey ?? null) : record.hostKey)
  );
}
