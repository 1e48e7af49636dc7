import { isIP, isIPv4 } from "node:net";
import type { ContainerState, Ports } from "@dockhost/protocol";
import { isLoopback } from "../listen-address.ts";
import type { InstanceRecord } from "../store/instances-store.ts";
import { knownHostsLine } from "./known-hosts.ts";
import { whyInstance, type BackendFacts } from "./why.ts";

export interface InstanceView {
  id: string;
  backendId: string;
  containerId: string | null;
  state: ContainerState | "creating" | "unreachable" | "gone";
  /** Why it is not running, where that is known. */
  stateReason: string | null;
  ports: Ports | null;
  image: string | null;
  /** Why it is not as wished, in a sentence; null where all is well. */
  why: string | null;
  ssh: SshView | null;
  createdAt: string;
}

/** How to log in. */
interface SshView {
  command: string;
  host: string;
  port: number;
  user: string;
  hostKeyFingerprint: string | null;
  /** The whole line for known_hosts, where the host key itself is known. */
  knownHosts: string | null;
}

/** What is known of a backend, and where it is to be reached. */
export interface Whereabouts extends BackendFacts {
  /** The far end of its connection, the latest. */
  remoteAddress: string | null;
  /** As the backend reports them. */
  addresses: readonly string[];
}

/** What the user sees. `requestHost` is the host name by which they reached the main server. */
export function viewInstance(record: InstanceRecord, backend: Whereabouts, requestHost: string): InstanceView {
  const { id, backendId, containerId, ports, image, createdAt } = record;
  return {
    ...{ id, backendId, containerId, ...stateOf(record, backend.online), ports, image },
    why: whyInstance(record, backend),
    ssh: ports && sshView(record, ports.ssh, sshHost(backend, requestHost)),
    createdAt,
  };
}

function sshView(record: InstanceRecord, port: number, host: string): SshView {
  const user = loginOf(record);
  const { hostKeyFingerprint } = record;
  const knownHosts = knownHostsLine(host, port, record);
  return { command: `ssh -p ${port} ${user}@${host}`, host, port, user, hostKeyFingerprint, knownHosts };
}

function stateOf({ state, stateReason }: InstanceRecord, online: boolean): Pick<InstanceView, "state" | "stateReason"> {
  if (online || state === "gone" || state === "creating") return { state, stateReason };
  return {
    state: "unreachable",
    stateReason: `The backend is not connected; the instance was ${state} when last heard of.`,
  };
}

/** A backend on this machine is where the main server itself was reached; another one is where it says, or dials from. */
export function sshHost(
  { remoteAddress, addresses }: Pick<Whereabouts, "remoteAddress" | "addresses">,
  requestHost: string,
): string {
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
