import {
  V2_REQUESTS,
  V2Username,
  type CommandName,
  type ErrorCode,
  type Failure,
  type Reply,
  type Success,
  type V2Answer,
  type V2Event,
  type V2Failure,
  type V2Request,
} from "@dockhost/protocol";
import type * as z from "zod";
import { parsePayload, stringIn, type Dialect, type Order, type Reading, type WayBack } from "./dialect.ts";

/**
 * The older dialect, which main servers in the field speak: the same commands under other names, answered by an event
 * that is named after the user. A username that must not name an event gets no such answer, only a line in the log.
 */
export const v2Dialect: Dialect = {
  events: Object.keys(V2_REQUESTS),
  order: (event, payload, way) => TRANSLATIONS[event as V2Event](payload, way),
};

type Translation = (payload: unknown, way: WayBack) => Order;
type Username = V2Request<"stop_container">;

const ofUser = ({ USERNAME }: Username) => ({ request: { username: USERNAME } });
const done = ({ message }: { message: string }): V2Answer => ({ status: 200, success: true, message });

const TRANSLATIONS: Readonly<Record<V2Event, Translation>> = {
  // Such a server asks first whether there is a container, and then resumes it: a second start is its mistake.
  start_container: translation("start_container", {
    command: "create-container",
    read: ({ USERNAME, SSH_PUB_KEY, startingPortNo }) => ({
      request: { username: USERNAME, sshPublicKeys: [SSH_PUB_KEY] },
      portsFrom: startingPortNo,
    }),
    tell: ({ message, data }) => ({ status: 201, success: true, message, PORT_NO: data.ports.ssh }),
  }),
  stop_container: translation("stop_container", { command: "stop-container", read: ofUser, tell: done }),
  resume_container: translation("resume_container", { command: "start-container", read: ofUser, tell: done }),
  delete_container: translation("delete_container", { command: "delete-container", read: ofUser, tell: done }),
  check_if_container_exists: translation("check_if_container_exists", {
    command: "list-containers",
    read: ofUser,
    tell: ({ data }) => data.containers.length > 0,
  }),
  check_if_container_running: translation("check_if_container_running", {
    command: "list-containers",
    read: ofUser,
    tell: ({ data }) => data.containers.some(({ state }) => state === "running"),
  }),
};

interface Rule<Event extends V2Event, Name extends CommandName> {
  command: Name;
  read: (sent: V2Request<Event>) => Reading<Name>;
  tell: (success: Success<Name>) => V2Answer;
}

function translation<Event extends V2Event, Name extends CommandName>(
  event: Event,
  { command, read, tell }: Rule<Event, Name>,
): Translation {
  const schema = V2_REQUESTS[event] as unknown as z.ZodType<V2Request<Event>>;
  return (payload, { emit, acknowledge }) => {
    const username = stringIn(payload, "USERNAME");
    const order: Order<Name> = {
      command,
      username,
      operationId: undefined,
      read: () => read(parsePayload(schema, payload)),
      answer: (reply) => {
        const message = reply.success ? tell(reply) : failure(reply);
        if (V2Username.safeParse(username).success && mayBeEmitted(event, reply)) emit(String(username), message);
        // Nobody's name stands in the way there, so a sender that gave a callback hears everything.
        acknowledge?.(message);
      },
    };
    return order;
  };
}

/**
 * A check that could not be made is not answered: `false` would be a lie that leads to a second create, and a server
 * that tests the answer for truth would take anything else for `true`.
 */
const mayBeEmitted = (event: V2Event, { success }: Reply<CommandName>): boolean =>
  success || !event.startsWith("check_");

const failure = ({ message, error }: Failure): V2Failure => ({ status: STATUSES[error.code], success: false, message });

const STATUSES: Readonly<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  INVALID_KEY: 400,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  PORT_CONFLICT: 409,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  START_FAILED: 500,
  SSH_NOT_READY: 500,
  CAPACITY: 503,
  NO_FREE_PORTS: 503,
  IMAGE_UNAVAILABLE: 503,
  ENGINE_UNAVAILABLE: 503,
  DRAINING: 503,
  DEADLINE_EXCEEDED: 504,
};
