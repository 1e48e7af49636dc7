import { isIP, isIPv4 } from "node:net";
import type { ContainerState, Ports } from "@dockhost/protocol";
import { isLoopback } from "../listen-address.ts";
import type { InstanceRecord } from "../store/instances-store.ts";

export interface InstanceView {
  id: string;
  backendId: string;
  containerId: string | null;
  state: ContainerState | "creating" | "unreachable" | "gone";
  /** Why it is not running, where that is known. */
  stateReason: string | null;
  ports: Ports | null;
  image: string | null;
  ssh: { command: string; hostKeyFingerprint: string | null } | null;
  createdAt: string;
}

/** Where a backend is to be reached. */
export interface Whereabouts {
  online: boolean;
  /** The far end of its connection, the latest. */
  remoteAddress: string | null;
  /** As the backend reports them. */
  addresses: readonly string[];
}

/** What the user sees. `requestHost` is the host name by which they reached the main server. */
export function viewInstance(record: InstanceRecord, backend: Whereabouts, requestHost: string): InstanceView {
  const { id, backendId, containerId, ports, image, createdAt } = record;
  const host = sshHost(backend, requestHost);
  const command = ports && `ssh -p ${ports.ssh} ${loginOf(record)}@${host}`;
  return {
    ...{ id, backendId, containerId, ...stateOf(record, backend.online), ports, image },
    ssh: command === null ? null : { command, hostKeyFingerprint: record.hostKeyFingerprint },
    createdAt,
  };
}

function stateOf({ state, stateReason }: InstanceRecord, online: boolean): Pick<InstanceView, "state" | "stateReason"> {
  if (online || state === "gone" || state === "creating") return { state, stateReason };
  return {
    state: "unreachable",
    stateReason: `The backend is not connected; the instance was ${state} when last heard of.`,
  };
}

/** A backend on this machine is where the main server itself was reached; another one is where it says, or dials from. */
export function sshHost({ remoteAddress, addresses }: Whereabouts, requestHost: string): string {
  if (remoteAddress !== null && isLoopback(remoteAddress)) {
    return isLoopback(requestHost) || !HOST_NAME.test(requestHost) ? "127.0.0.1" : requestHost;
  }
  const reported = addresses.find((address) => isAddress(address) && !isLoopback(address) && !isLinkLocal(address));
  const known = reported ?? withoutV4Mapping(remoteAddress ?? "");
  return isAddress(known) ? known : "127.0.0.1";
}

/** The command is pasted into shells: nothing that a stranger wrote may stand in it. */
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252})$/;
const LOGIN = /^[a-z_][a-z0-9_-]{0,31}$/;

const loginOf = ({ sshUser }: InstanceRecord) => (sshUser !== null && LOGIN.test(sshUser) ? sshUser : "root");

/** One with a zone (`fe80::1%eth0`) means something only on the machine that wrote it. */
const isAddress = (text: string) => isIP(text) !== 0 && !text.includes("%");

const isLinkLocal = (address: string) =>
  isIPv4(address) ? address.startsWith("169.254.") : /^fe[89ab]/i.test(address);

const withoutV4Mapping = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, "");
