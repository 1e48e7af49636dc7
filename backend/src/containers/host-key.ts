import { createHash } from "node:crypto";
import { HostKey } from "@dockhost/protocol";

/** What a server has shown of its host key. */
export interface ShownHostKey {
  /** As ssh-keygen prints it (`SHA256:…`). */
  hostKeyFingerprint: string;
  /** As known_hosts has it, `ssh-ed25519 AAAA…`; undefined where it is of another type, or was not told. */
  hostKey: string | undefined;
}

/** Our image's sshd greets with its host key. */
const TELLING_GREETING = /^SSH-2\.0-.* (ssh-ed25519 [A-Za-z0-9+/]+)\r?\n/;
/** Containers of earlier images greet with its fingerprint alone. */
const TELLING_FINGERPRINT = /^SSH-2\.0-.* (SHA256:[A-Za-z0-9+/]{43})\r?\n/;

/** Undefined where the greeting tells no host key. The tenant, who is root, could have written it: only a sound one counts. */
export function hostKeyInGreeting(greeting: string): ShownHostKey | undefined {
  const { data: line } = HostKey.safeParse(TELLING_GREETING.exec(greeting)?.[1]);
  if (line !== undefined) return hostKeyOf(Buffer.from(line.slice(line.indexOf(" ") + 1), "base64"));
  const [, told] = TELLING_FINGERPRINT.exec(greeting) ?? [];
  return told === undefined ? undefined : { hostKeyFingerprint: told, hostKey: undefined };
}

/** `blob` is the key as it goes over the wire. */
export function hostKeyOf(blob: Buffer): ShownHostKey {
  const digest = createHash("sha256").update(blob).digest("base64");
  return {
    hostKeyFingerprint: `SHA256:${digest.replace(/=+$/, "")}`,
    hostKey: HostKey.safeParse(`ssh-ed25519 ${blob.toString("base64")}`).data,
  };
}
