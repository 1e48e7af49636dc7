import {
  COMMANDS,
  COMMAND_NAMES,
  COMMAND_RESULT_EVENT,
  type CommandName,
  type CommandRequest,
} from "@dockhost/protocol";
import type * as z from "zod";
import { parsePayload, stringIn, type Dialect, type Order, type WayBack } from "./dialect.ts";

/** The contract's commands: an event of the command's name, and its reply in the callback or as `command-result`. */
export const contractDialect: Dialect = {
  events: COMMAND_NAMES,
  order: (event, payload, way) => order(event as CommandName, payload, way),
};

function order<Name extends CommandName>(command: Name, payload: unknown, { emit, acknowledge }: WayBack): Order<Name> {
  const operationId = stringIn(payload, "operationId");
  return {
    command,
    operationId,
    username: stringIn(payload, "username"),
    read: () => ({ request: parsePayload(requestOf(command), payload ?? emptyPayload(command)) }),
    answer: (reply) => {
      if (acknowledge) acknowledge(reply);
      else emit(COMMAND_RESULT_EVENT, { command, operationId, ...reply });
    },
  };
}

const requestOf = <Name extends CommandName>(command: Name) =>
  COMMANDS[command].request as unknown as z.ZodType<CommandRequest<Name>>;

/** Only the list of everything needs no word. */
const emptyPayload = (command: CommandName): unknown => (command === "list-containers" ? {} : undefined);
