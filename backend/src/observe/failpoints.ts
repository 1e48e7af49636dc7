import { channel } from "node:diagnostics_channel";

/** The channel on which a test that was loaded before the backend (`node --import`) hears where the work stands. */
export const FAILPOINT_CHANNEL = "dockhost:failpoint";

/**
 * The moments at which a crash would leave the most behind. Each stands right after what it names, and before what
 * comes next.
 */
export const FAILPOINTS = [
  "create:ports-leased",
  "create:directory-made",
  "create:claimed",
  "create:container-made",
  "create:container-started",
  "create:ssh-answered",
  "create:fingerprint-claimed",
  "create:named",
  "spare:container-started",
  "spare:ssh-answered",
  "spare:taken",
  "spare:claimed",
  "spare:limited",
  "start:wish-claimed",
  "start:container-started",
  "start:ssh-answered",
  "stop:wish-claimed",
  "stop:container-stopped",
  "delete:claimed",
  "delete:container-removed",
  "delete:directory-removed",
  "move:claimed",
  "move:image-committed",
  "move:successor-answers",
  "move:decided",
  "move:old-removed",
  "move:named",
  "claim:written-beside",
  "claim:renamed",
  "operation:recorded",
  "recovery:listed",
  "recovery:unclaimed-removed",
  "recovery:directory-removed",
  "recovery:delete-finished",
  "recovery:claim-adopted",
  "recovery:create-recorded",
  "recovery:container-started",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

const reached = channel(FAILPOINT_CHANNEL);

/** Marks a moment. Whoever listens may end the process there; nobody does in production, where this is one comparison. */
export function failpoint(name: Failpoint): void {
  if (reached.hasSubscribers) reached.publish(name);
}
