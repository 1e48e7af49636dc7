import * as z from "zod";
import { USERNAME, USERNAME_RULE } from "./username-rule.ts";

/** One container per user per backend, so a username is a container's address. */
export const Username = z.string().regex(USERNAME, USERNAME_RULE);

const Port = z.int().min(1).max(65_535);

/** Three consecutive ports of the host: X → 22, X+1 → 80, X+2 → 443. */
export const Ports = z.object({ ssh: Port, http: Port, https: Port });
export type Ports = z.infer<typeof Ports>;

export const ContainerState = z.enum(["running", "stopped", "restarting", "failed"]);
export type ContainerState = z.infer<typeof ContainerState>;

/**
 * A host key as it stands in known_hosts, without a comment: `ssh-ed25519 AAAA…`. The blob's first 19 bytes are always the
 * same and 32 follow, so that each key has this one spelling and nothing else passes.
 */
export const HostKey = z.string().regex(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}$/);

/** How to log in, and the SHA-256 fingerprint (`SHA256:…`, as ssh-keygen prints it) of the host key to expect. */
export const SshAccess = z.object({
  user: z.string().min(1).max(32),
  hostKeyFingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
  /** The key itself; only where it is an Ed25519 key and has been shown. */
  hostKey: HostKey.optional(),
});
export type SshAccess = z.infer<typeof SshAccess>;

/** A container as a backend reports it. */
export const Container = z.object({
  containerId: z.string().regex(/^[0-9a-f]{12,64}$/),
  username: Username,
  state: ContainerState,
  ports: Ports,
  image: z.string().min(1).max(512),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** Absent until SSH has answered once. */
  ssh: SshAccess.optional(),
  /** Only of a container that is not running. */
  exitCode: z.int().optional(),
  oomKilled: z.boolean().optional(),
});
export type Container = z.infer<typeof Container>;
