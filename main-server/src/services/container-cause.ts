import type { Container } from "@dockhost/protocol";
import type { InstanceRecord } from "../store/instances-store.ts";
import { reasonFor } from "./container-truth.ts";

/** Why a container is as it is, in a few words; null where it runs for an instance of ours, whose `record` is. */
export function causeOf(container: Container, record: Pick<InstanceRecord, "wishedState"> | undefined): string | null {
  const ended = endOf(container, record?.wishedState === "stopped");
  return record ? ended : [ended, "on no record of this main server"].filter((words) => words !== null).join("; ");
}

function endOf(container: Container, byItsOwner: boolean): string | null {
  const { state, exitCode, oomKilled } = container;
  if (state === "running") return null;
  const exit = exitCode === undefined ? "" : `, exit ${exitCode}`;
  if (oomKilled === true) return reasonFor(container);
  if (state === "restarting") return `ended by itself${exit}, starting again`;
  if (state === "failed") return exitCode === undefined ? "never came up" : `ended by itself${exit}`;
  return byItsOwner ? "stopped by its owner" : `stopped on its machine or ended in peace${exit}`;
}
