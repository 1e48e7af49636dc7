import { HostKey } from "@dockhost/protocol";
import { fingerprintOf } from "./fingerprint.ts";

/**
 * The line for a known_hosts file, by which `ssh` asks nothing at the first login. Null where the key is not known, or is
 * not what its fingerprint says: a backend wrote both, and people paste this. `host` is an address or a host name.
 */
export function knownHostsLine(
  host: string,
  port: number,
  { hostKey, hostKeyFingerprint }: { hostKey: string | null; hostKeyFingerprint: string | null },
): string | null {
  const { data: line } = HostKey.safeParse(hostKey);
  if (line === undefined || fingerprintOf(line.slice(line.indexOf(" ") + 1)) !== hostKeyFingerprint) return null;
  return `[${host}]:${port} ${line}`;
}
