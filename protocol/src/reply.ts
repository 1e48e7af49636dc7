import * as z from "zod";
import { COMMAND_NAMES, COMMANDS, type CommandData, type CommandName } from "./commands.ts";
import { ErrorCode } from "./errors.ts";

const Failure = z.object({
  success: z.literal(false),
  message: z.string().max(4096),
  /** Null, but for ALREADY_EXISTS, which carries the container that exists. */
  data: z.unknown(),
  error: z.object({ code: ErrorCode, retryable: z.boolean() }),
});
export type Failure = z.infer<typeof Failure>;

export interface Success<Name extends CommandName> {
  success: true;
  message: string;
  data: CommandData<Name>;
}

export type Reply<Name extends CommandName> = Success<Name> | Failure;

/** Validates what a backend answered to `command`; throws a ZodError where it breaks the contract. */
export function parseReply<Name extends CommandName>(command: Name, reply: unknown): Reply<Name> {
  return REPLIES[command].parse(reply) as Reply<Name>;
}

/** Made once: to put a schema together takes many times as long as to use it. */
const REPLIES = Object.fromEntries(COMMAND_NAMES.map((command) => [command, replyTo(command)])) as Record<
  CommandName,
  ReturnType<typeof replyTo>
>;

function replyTo(command: CommandName) {
  const success = z.object({ success: z.literal(true), message: z.string().max(4096), data: COMMANDS[command].data });
  return z.discriminatedUnion("success", [success, Failure]);
}

/** The event that carries a reply where the sender of the command gave no callback. */
export const COMMAND_RESULT_EVENT = "command-result";
