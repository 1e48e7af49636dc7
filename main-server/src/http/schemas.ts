import { BackendStatus, Container, ContainerState, Limits, MAX_SSH_KEYS, Ports, Username } from "@dockhost/protocol";
import * as z from "zod";

const ErrorReply = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .meta({ id: "Error", description: "`message` is one sentence that a person can act on." });

/** The failures that any route may reply with. */
export const failures = { "4xx": ErrorReply, "5xx": ErrorReply };

const Time = z.iso.datetime();

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: "At most so many in one answer." }),
  cursor: z.string().max(256).optional().meta({ description: "The former answer's `nextCursor`." }),
});
const NextCursor = z.string().nullable().meta({ description: "Asks for the next page; null on the last one." });

export const UserReply = z
  .object({ user: z.object({ id: z.string(), username: z.string(), createdAt: Time }) })
  .meta({ id: "User" });

const Password = z.string().min(8, "must have at least 8 characters").max(256, "must have at most 256 characters");

export const SignUp = z.object({
  username: Username,
  password: Password,
  token: z.string().max(256).optional().meta({ description: "Of the first account, while sign-up is closed." }),
});

/** Not checked any closer: what no account can have is answered like what none has. */
export const SignIn = z.object({ username: z.string().max(1024), password: z.string().max(1024) });

export const NewPassword = z.object({ currentPassword: z.string().max(1024), newPassword: Password });

const Session = z
  .object({
    id: z.string(),
    current: z.boolean().meta({ description: "The one that asks." }),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    createdAt: Time,
    expiresAt: Time,
  })
  .meta({ id: "Session" });
export const SessionPage = z.object({ sessions: z.array(Session), nextCursor: NextCursor });

const KeyLine = z.string("must be one OpenSSH public key line");

export const SavedKey = z
  .object({ id: z.string(), name: z.string(), line: z.string(), fingerprint: z.string(), createdAt: Time })
  .meta({ id: "SavedKey" });
export const NewSavedKey = z.object({ sshPublicKey: KeyLine, name: z.string().trim().min(1).max(64).optional() });
export const SavedKeyPage = z.object({ keys: z.array(SavedKey), nextCursor: NextCursor });

const Why = z.string().nullable().meta({ description: "Why it is not as wished; null where all is well." });

export const Backend = z
  .object({
    id: z.string(),
    name: z.string(),
    shared: z.boolean().meta({ description: "It serves everyone." }),
    status: z.enum(["online", "offline"]),
    version: z.string().nullable(),
    capacity: BackendStatus.shape.capacity.nullable(),
    usage: BackendStatus.shape.usage.nullable(),
    draining: z.boolean(),
    docker: BackendStatus.shape.docker.nullable(),
    addresses: z.array(z.string()),
    unknownContainers: z.int(),
    why: Why,
    mine: z.boolean().meta({ description: "The caller may manage it." }),
    createdAt: Time,
    lastSeenAt: Time.nullable(),
  })
  .meta({ id: "Backend", description: "What it last reported is null until it has reported once." });

export const NewBackend = z.object({
  name: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}]{1,64}$/u, "must have 1 to 64 printable characters"),
});
export const CreatedBackend = z.object({ backend: Backend, apiKey: z.string() });
export const BackendPage = z.object({ backends: z.array(Backend), nextCursor: NextCursor });

export const Draining = z.object({ draining: z.boolean() });

const BackendContainer = Container.pick({
  containerId: true,
  username: true,
  state: true,
  ports: true,
  image: true,
  createdAt: true,
}).extend({
  cause: z.string().nullable().meta({ description: "Why it is as it is; null where it runs for an instance." }),
});
export const BackendContainers = z.object({ containers: z.array(BackendContainer) });

const Key = z.object({ id: z.string(), prefix: z.string(), createdAt: Time }).meta({ id: "Key" });
export const CreatedKey = z.object({ key: Key, apiKey: z.string() });
export const KeyPage = z.object({ keys: z.array(Key), nextCursor: NextCursor });

const SshView = z.object({
  command: z.string(),
  host: z.string(),
  port: z.int(),
  user: z.string(),
  hostKeyFingerprint: z.string().nullable(),
  knownHosts: z.string().nullable().meta({ description: "The whole line for known_hosts." }),
});

export const Instance = z
  .object({
    id: z.string(),
    backendId: z.string(),
    containerId: z.string().nullable(),
    state: z.enum([...ContainerState.options, "creating", "unreachable", "gone"]),
    stateReason: z.string().nullable(),
    ports: Ports.nullable(),
    image: z.string().nullable(),
    why: Why,
    ssh: SshView.nullable(),
    createdAt: Time,
  })
  .meta({ id: "Instance" });

export const NewInstance = z.object({
  sshPublicKey: KeyLine,
  backendId: z.string().max(64).optional(),
  image: z.string().min(1).max(128).optional().meta({ description: "A name from the backend's allow-list." }),
  limits: Limits.optional(),
});
export const InstanceKeys = z.object({ sshPublicKeys: z.array(KeyLine).min(1).max(MAX_SSH_KEYS) });
export const InstancePage = z.object({ instances: z.array(Instance), nextCursor: NextCursor });
export const Id = z.object({ id: z.string().max(64) });
export const KeyId = Id.extend({ keyId: z.string().max(64) });
export const Deleted = z.object({ id: z.string(), deleted: z.literal(true) });
