import type { CommandName, Failure } from "@dockhost/protocol";
import type { Outcome } from "../backends/backend-client.ts";
import { ServiceError } from "./errors.ts";

/** What came in place of what was asked for, as its user is told. */
export function whyNot(outcome: Outcome<CommandName>): ServiceError {
  return outcome.kind === "reply" && !outcome.reply.success ? refusal(outcome.reply) : unfinished(outcome);
}

export function refusal({ error, message }: Failure): ServiceError {
  if (error.code !== "ALREADY_EXISTS") return new ServiceError(error.code, message);
  const foreign =
    "The backend has a container of this name that is on no record of yours; ask its operator to remove it.";
  return new ServiceError("CONFLICT", foreign);
}

/** A reply that got here breaks the contract in what it says, not in its form. */
export function unfinished(outcome: Outcome<CommandName>): ServiceError {
  switch (outcome.kind) {
    case "offline":
      return new ServiceError("BACKEND_OFFLINE", "The backend of this instance is not connected; try again later.");
    case "timeout":
      return new ServiceError(
        "DEADLINE_EXCEEDED",
        "The backend did not answer in time; look at the instance again later.",
      );
    case "closing":
      return new ServiceError("BACKEND_OFFLINE", "The main server is closing; look at the instance again later.");
    case "fault":
    case "reply":
      return new ServiceError(
        "BACKEND_FAULT",
        "The backend answered with something that DockHost does not understand.",
      );
  }
}
