import { ADMISSION_FLOOR, type BackendStatus } from "@dockhost/protocol";
import type { InstanceRecord } from "../store/instances-store.ts";

/** What an instance's sentence needs to know of its backend. */
export interface BackendFacts {
  /** Null where it was not asked for, or is not known any more. */
  name: string | null;
  online: boolean;
  lastSeenAt: string | null;
  /** As far as the backend has told. */
  dockerReachable: boolean;
}

type Standing = Pick<
  InstanceRecord,
  "state" | "stateReason" | "pendingCommand" | "wishedState" | "stateSince" | "createdAt"
>;

/** Why an instance is not as wished: what is, what was wished, what blocks, what comes next. Null where all is well. */
export function whyInstance(record: Standing, backend: BackendFacts): string | null {
  if (record.state === "gone") return whyGone(record, backend);
  if (!backend.online) return whyUnreachable(record, backend);
  if (!backend.dockerReachable) return whyWithoutDocker(record, backend);
  if (record.state === "creating") return whyCreating(record, backend);
  if (record.pendingCommand !== null) return whyPending(record.pendingCommand);
  return whyNotRunning(record);
}

/** Whether that names the backend: mostly it does not, and then the name need not be read. */
export const namesBackend = (
  { state }: Pick<Standing, "state">,
  { online, dockerReachable }: Pick<BackendFacts, "online" | "dockerReachable">,
): boolean => !online || !dockerReachable || state === "gone" || state === "creating";

function whyGone({ stateSince }: Standing, backend: BackendFacts): string {
  const noticed = stateSince === null ? "" : ` (noticed ${moment(stateSince)})`;
  return `Its container was removed on ${named(backend)} by hand, not by DockHost${noticed}, and its files went with it; delete this instance and create a new one.`;
}

function whyUnreachable({ state }: Standing, backend: BackendFacts): string {
  const seen = backend.lastSeenAt === null ? "" : ` (last seen ${moment(backend.lastSeenAt)})`;
  const was = state === "creating" ? "being created" : state;
  return `${capital(named(backend))} is not connected${seen}, so all that is known is that this was ${was} when last heard of; the backend dials again by itself every 30 s at most, and this is told anew as soon as it is back.`;
}

function whyWithoutDocker({ state }: Standing, backend: BackendFacts): string {
  const was = state === "creating" ? "being created" : state;
  return `Docker does not answer on ${named(backend)}, so this cannot be started, stopped or deleted and was ${was} when last heard of; the backend asks Docker again every 5 s at most and goes on by itself, while its operator should see whether Docker runs there.`;
}

const whyCreating = ({ createdAt }: Standing, backend: BackendFacts): string =>
  `Its creation on ${named(backend)} began at ${moment(createdAt)}: that takes seconds, or up to 16 minutes where the image has to be pulled first, and then it runs or is gone from the list.`;

function whyPending(command: NonNullable<InstanceRecord["pendingCommand"]>): string {
  const asked = ASKED_FOR[command] ?? "change";
  return `Its ${asked} was asked for and the backend has not answered yet: that takes seconds, at most 2 minutes, and what the backend reports next settles it otherwise.`;
}

const ASKED_FOR: Partial<Record<NonNullable<InstanceRecord["pendingCommand"]>, string>> = {
  "start-container": "start",
  "stop-container": "stop",
  "delete-container": "deletion",
};

function whyNotRunning(record: Standing): string | null {
  const { state, stateReason, wishedState } = record;
  const since = sinceOf(record);
  switch (state) {
    case "running":
    case "creating":
    case "gone":
      return null;
    case "restarting":
      return `It ended by itself${howItEnded(stateReason)} and Docker is starting it again; if that goes on, its log says why it ends.`;
    case "failed":
      return isOutOfMemory(stateReason)
        ? `It should run, but ran out of memory and has ended${since}${howItEnded(stateReason)}; start it again, and let less run in it or create it with a higher memory limit.`
        : `It should run, but ended by itself${since}${howItEnded(stateReason)}; its log says why, and a start runs it again with its files.`;
    case "stopped":
      return wishedState === "stopped"
        ? `Its owner stopped it${since}; its files and ports are kept, and a start runs it again.`
        : `It should run, but was stopped on the backend's machine or ended in peace by itself${since}; its files and ports are kept, and a start runs it again.`;
  }
}

/** Why a backend does not serve as it could: a sentence for each thing that is not as wished. Null where all is well. */
export function whyBackend(
  online: boolean,
  lastSeenAt: string | null,
  status: Pick<BackendStatus, "docker" | "draining" | "capacity" | "usage"> | null,
  unknownContainers: number,
): string | null {
  if (!online) return whyOffline(lastSeenAt);
  if (!status)
    return "It has connected and not reported yet, so nothing is placed on it by its room; that takes seconds.";
  const sentences = [
    status.docker.reachable ? null : WITHOUT_DOCKER,
    status.draining ? DRAINING : whyFull(status),
    whyNotKept(status.capacity),
    whyUnknown(unknownContainers),
  ].filter((sentence) => sentence !== null);
  return sentences.length === 0 ? null : sentences.join(" ");
}

function whyOffline(lastSeenAt: string | null): string {
  if (lastSeenAt === null) {
    return "It has never been connected: start its agent on the machine, with this backend's key and this server's address, and it is here within seconds.";
  }
  return `It is not connected (last seen ${moment(lastSeenAt)}); it dials again by itself every 30 s at most, so if it stays away, see whether its machine and its agent run, whether they reach this server, and whether its key was revoked: the agent's log says which.`;
}

const WITHOUT_DOCKER =
  "Docker does not answer on its machine, so nothing can be created, started or stopped there; it asks again every 5 s at most and goes on by itself, so see whether Docker runs (systemctl status docker).";

const DRAINING =
  "It is draining as its owner asked: it takes no new instance and serves those that it has, until draining is switched off.";

function whyFull({ usage, capacity }: Pick<BackendStatus, "usage" | "capacity">): string | null {
  const { memoryMiB, diskMiB } = ADMISSION_FLOOR;
  if (usage.containers >= capacity.maxContainers) {
    return `It is full: it holds ${usage.containers} of at most ${capacity.maxContainers} containers and takes another as soon as one is deleted, or when DOCKHOST_MAX_CONTAINERS is raised.`;
  }
  if (usage.memoryAvailableMiB < memoryMiB) {
    return `It takes no new instance: ${usage.memoryAvailableMiB} MiB of memory are available and ${memoryMiB} are needed; it takes one again as soon as they are.`;
  }
  if (usage.diskFreeMiB < diskMiB) {
    return `It takes no new instance: ${usage.diskFreeMiB} MiB of disk are free and ${diskMiB} are needed; it takes one again as soon as they are.`;
  }
  return null;
}

function whyNotKept({ egress, egressEnforced }: BackendStatus["capacity"]): string | null {
  if (egress === undefined || egress === "all" || egressEnforced !== false) return null;
  const wished = egress === "none" ? "nothing of the network" : "the public internet alone";
  return `Its instances should reach ${wished}, and its machine's firewall does not keep them to it; run "npm run firewall" there as root, which it notices within a minute.`;
}

function whyUnknown(count: number): string | null {
  if (count === 0) return null;
  const are = count === 1 ? "1 container on it is" : `${count} containers on it are`;
  return `${are} on no record of this server and left alone; see whose they are, and remove on its machine what nobody needs.`;
}

const named = ({ name }: BackendFacts): string => (name === null ? "its backend" : `the backend ${name}`);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const isOutOfMemory = (stateReason: string | null): boolean => stateReason?.startsWith("out of memory") ?? false;

function howItEnded(stateReason: string | null): string {
  const [, exitCode] = /exit (-?\d+)$/.exec(stateReason ?? "") ?? [];
  return exitCode === undefined ? "" : ` (exit code ${exitCode})`;
}

const sinceOf = ({ stateSince }: Standing): string => (stateSince === null ? "" : ` at ${moment(stateSince)}`);

/** As people read it, to the minute. */
const moment = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;
