import type { CommandName, Container, ErrorCode, Reply } from "@dockhost/protocol";
import type { Excuses, Trouble } from "./excuses.ts";
import type { Operation, Outcome, Seen } from "./histories.ts";
import { Ruin } from "./ruin.ts";

/** Which codes a command may be answered with while something is wrong; it may have taken effect or not. */
const EXCUSES: Partial<Record<ErrorCode, readonly Trouble[]>> = {
  ENGINE_UNAVAILABLE: ["engine"],
  DEADLINE_EXCEEDED: ["engine"],
  START_FAILED: ["engine", "ending"],
  SSH_NOT_READY: ["engine", "ending"],
  PORT_CONFLICT: ["ports", "engine"],
  DRAINING: ["ending"],
};

/** What a reply says of its operation. Throws where nothing that goes wrong excuses it. */
export function outcomeOf(operation: Operation, reply: Reply<CommandName> | undefined, excuses: Excuses): Outcome {
  if (!reply) return { kind: "in doubt" };
  if (reply.success) return { kind: "success", seen: seenIn(reply.data) };
  const { code } = reply.error;
  if (code === "NOT_FOUND" || code === "ALREADY_EXISTS") return { kind: "refused", code };
  if (EXCUSES[code]?.some((trouble) => excuses.isTroubled(trouble))) return { kind: "in doubt" };
  throw new Ruin(undefined, `${operation.username}'s ${operation.change} was answered ${code}: ${reply.message}`);
}

function seenIn(data: object): Seen | undefined {
  return "ssh" in data ? seen(data as Container) : undefined;
}

export const seen = ({ containerId, ports, ssh }: Container): Seen => ({
  containerId,
  base: ports.ssh,
  hostKey: ssh?.hostKeyFingerprint,
});
