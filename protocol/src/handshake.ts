import * as z from "zod";

export const PROTOCOL_VERSION = 1;

/** `query.role` of a backend's connection. */
export const BACKEND_ROLE = "backend";

/** `auth` of a backend's connection; only the key is certain to be there. */
export const HandshakeAuth = z.object({
  DOCKHOST_API_KEY: z.string().min(1).max(512),
  protocol: z.int().optional(),
  version: z.string().max(64).optional(),
  /** Random for each process: tells a reconnect from a second agent. */
  agentId: z.string().max(64).optional(),
  /** Where users reach the backend's instances; main servers of the older dialect tell them so. */
  LAN_IP: z.string().max(64).optional(),
});
export type HandshakeAuth = z.infer<typeof HandshakeAuth>;

/** Main server → backend: another agent took over this key; stop and do not come back. */
export const SUPERSEDED_EVENT = "superseded";
