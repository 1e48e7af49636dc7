import * as z from "zod";
import { COMMAND_NAMES } from "./commands.ts";
import { Username } from "./containers.ts";
import { SUPERSEDED_EVENT } from "./handshake.ts";
import { COMMAND_RESULT_EVENT } from "./reply.ts";
import { REPORTS } from "./reports.ts";

const V2_EVENTS = [
  "start_container",
  "stop_container",
  "resume_container",
  "delete_container",
  "check_if_container_exists",
  "check_if_container_running",
] as const;
export type V2Event = (typeof V2_EVENTS)[number];

/** Every event that means something already, so that no reply may go by its name. */
const TAKEN_EVENTS: ReadonlySet<string> = new Set([
  ...COMMAND_NAMES,
  ...V2_EVENTS,
  ...Object.keys(REPORTS),
  SUPERSEDED_EVENT,
  COMMAND_RESULT_EVENT,
  "open-stream",
  // Socket.IO's own: sending one throws at the sender's, and hearing one throws at the receiver's.
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"],
]);

/** Replies are events named after the user, so a username must not be the name of another event. */
export const V2Username = Username.refine((name) => !TAKEN_EVENTS.has(name), "must not be the name of an event");

const OfUser = z.object({ USERNAME: V2Username });
const StartContainer = OfUser.extend({
  SSH_PUB_KEY: z.string(),
  /** Where the search for a port triple begins. */
  startingPortNo: z.int().min(1_024).max(65_533),
});

/** Every event of the older dialect, which main servers in the field speak, and its request. */
export const V2_REQUESTS = {
  start_container: StartContainer,
  stop_container: OfUser,
  resume_container: OfUser,
  delete_container: OfUser,
  check_if_container_exists: OfUser,
  check_if_container_running: OfUser,
} as const satisfies Record<V2Event, z.ZodType>;

export type V2Request<Event extends V2Event> = z.output<(typeof V2_REQUESTS)[Event]>;

/** A failure in the older dialect; `status` is one of HTTP's. */
export interface V2Failure {
  status: number;
  success: false;
  message: string;
}

/** What a success is told by: true or false to a check, `PORT_NO` (the first of the triple) to a start. */
export type V2Answer = boolean | { status: number; success: true; message: string; PORT_NO?: number };
