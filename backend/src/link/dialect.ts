import type { CommandName, CommandRequest, Reply } from "@dockhost/protocol";
import type * as z from "zod";
import { DockHostError } from "../containers/errors.ts";

/** One of two ways to say the same commands: events of its own, and replies in its own form. */
export interface Dialect {
  readonly events: readonly string[];
  /** Never throws, whatever was sent. */
  order(event: string, payload: unknown, way: WayBack): Order;
}

/** How a sender can be answered. */
export interface WayBack {
  emit: (event: string, message: unknown) => void;
  /** Where the sender gave a callback. */
  acknowledge: ((message: unknown) => void) | undefined;
}

/** What an event asks for, not validated yet. */
export interface Order<Name extends CommandName = CommandName> {
  readonly command: Name;
  /** As far as it can be told from what was sent; of any characters, but short. */
  readonly username: string | undefined;
  readonly operationId: string | undefined;
  /** Throws INVALID_ARGUMENT. */
  read(): Reading<Name>;
  answer(reply: Reply<Name>): void;
}

export interface Reading<Name extends CommandName> {
  request: CommandRequest<Name>;
  /** Where a create begins its search for ports. */
  portsFrom?: number;
}

/** Throws INVALID_ARGUMENT, which names each field that is wrong. */
export function parsePayload<Output>(schema: z.ZodType<Output>, payload: unknown): Output {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new DockHostError("INVALID_ARGUMENT", `The request is not valid: ${faults.join("; ")}.`);
}

/** A field of a payload that may be anything, where it is a string of no more than `maxLength` characters. */
export function stringIn(payload: unknown, name: string, maxLength = 64): string | undefined {
  if (payload === null || typeof payload !== "object") return undefined;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === "string" && value.length <= maxLength ? value : undefined;
}
