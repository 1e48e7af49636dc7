import { networkInterfaces } from "node:os";

type Interfaces = ReturnType<typeof networkInterfaces>;

/** This machine's addresses that others may reach it by: IPv4 first, no loopback, no container bridge. */
export function addresses(interfaces: Interfaces = networkInterfaces()): string[] {
  const all = Object.entries(interfaces).flatMap(([name, entries]) =>
    CONTAINER_BRIDGE.test(name) ? [] : (entries ?? []),
  );
  const outward = all.filter(({ internal, scopeid }) => !internal && !scopeid);
  const inOrder = [...outward.filter(isIPv4), ...outward.filter((entry) => !isIPv4(entry))];
  return inOrder.map(({ address }) => address).slice(0, 64);
}

/**
 * The one address to tell where only one can be told: the first of this machine's, in the order in which its system
 * lists its interfaces (a cable or radio before a VPN). A machine without any is reached from itself alone.
 */
export function lanAddress(interfaces?: Interfaces): string {
  return addresses(interfaces)[0] ?? "127.0.0.1";
}

const CONTAINER_BRIDGE = /^(docker|dockhost|br-|veth|virbr|cni|flannel)/;
const isIPv4 = ({ family }: { family: string }): boolean => family === "IPv4";
