// What the main server's REST interface takes and answers, for itself and for its page.
import * as z from "zod";
import { AUDIT_ACTIONS } from "./audit-actions.ts";
import { Limits, MAX_SSH_KEYS } from "./commands.ts";
import { Container, ContainerState, Ports, Username } from "./containers.ts";
import { BackendStatus, type OperationPhase } from "./reports.ts";

export const ErrorReply = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .meta({ id: "Error", description: "`message` is one sentence that a person can act on." });
export type ErrorReply = z.infer<typeof ErrorReply>;

/** The failures that any route may reply with. */
export const failures = { "4xx": ErrorReply, "5xx": ErrorReply };

const Time = z.iso.datetime();

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: "At most so many in one answer." }),
  cursor: z.string().max(256).optional().meta({ description: "The former answer's `nextCursor`." }),
});
const NextCursor = z.string().nullable().meta({ description: "Asks for the next page; null on the last one." });

export const Role = z.enum(["admin", "operator", "user"]).meta({
  description:
    "A user has instances; an operator registers backends as well; an admin manages everything that is shared.",
});
export type Role = z.infer<typeof Role>;

export const User = z
  .object({ id: z.string(), username: z.string(), role: Role, createdAt: Time })
  .meta({ id: "User" });
export type User = z.infer<typeof User>;
export const UserReply = z.object({ user: User });
export type UserReply = z.infer<typeof UserReply>;

export const UserWithInstances = User.extend({ instances: z.int() }).meta({
  id: "UserWithInstances",
  description: "How many instances there are of theirs, gone ones aside.",
});
export type UserWithInstances = z.infer<typeof UserWithInstances>;
export const UserPage = z.object({ users: z.array(UserWithInstances), nextCursor: NextCursor });
export type UserPage = z.infer<typeof UserPage>;
export const NewRole = z.object({ role: Role });

export const SignupReply = z.object({
  open: z.boolean().meta({ description: "Anyone may sign up; otherwise a token is needed." }),
  firstAccount: z.boolean().meta({ description: "There is no account yet: the first one becomes an admin's." }),
});
export type SignupReply = z.infer<typeof SignupReply>;

const Password = z.string().min(8, "must have at least 8 characters").max(256, "must have at most 256 characters");

export const SignUp = z.object({
  username: Username,
  password: Password,
  token: z.string().max(256).optional().meta({ description: "An invitation's, or the first account's." }),
});

/** Not checked any closer: what no account can have is answered like what none has. */
export const SignIn = z.object({ username: z.string().max(1024), password: z.string().max(1024) });

export const NewPassword = z.object({ currentPassword: z.string().max(1024), newPassword: Password });

export const Session = z
  .object({
    id: z.string(),
    current: z.boolean().meta({ description: "The one that asks." }),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    createdAt: Time,
    expiresAt: Time,
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof Session>;
export const SessionPage = z.object({ sessions: z.array(Session), nextCursor: NextCursor });
export type SessionPage = z.infer<typeof SessionPage>;

export const Invitation = z
  .object({
    id: z.string(),
    role: Role.meta({ description: "Of the account that is made with it." }),
    note: z.string().nullable(),
    createdAt: Time,
    expiresAt: Time,
    createdBy: z.string().meta({ description: "The username of who invites." }),
  })
  .meta({ id: "Invitation" });
export type Invitation = z.infer<typeof Invitation>;
export const NewInvitation = z.object({ role: Role, note: z.string().trim().min(1).max(200).optional() });
export const CreatedInvitation = z.object({ invitation: Invitation, token: z.string() });
export type CreatedInvitation = z.infer<typeof CreatedInvitation>;
export const InvitationPage = z.object({ invitations: z.array(Invitation), nextCursor: NextCursor });
export type InvitationPage = z.infer<typeof InvitationPage>;

const KeyLine = z.string("must be one OpenSSH public key line");

export const SavedKey = z
  .object({ id: z.string(), name: z.string(), line: z.string(), fingerprint: z.string(), createdAt: Time })
  .meta({ id: "SavedKey" });
export type SavedKey = z.infer<typeof SavedKey>;
export const NewSavedKey = z.object({ sshPublicKey: KeyLine, name: z.string().trim().min(1).max(64).optional() });
export const SavedKeyPage = z.object({ keys: z.array(SavedKey), nextCursor: NextCursor });
export type SavedKeyPage = z.infer<typeof SavedKeyPage>;

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
export type Backend = z.infer<typeof Backend>;

export const NewBackend = z.object({
  name: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}]{1,64}$/u, "must have 1 to 64 printable characters"),
});
export const CreatedBackend = z.object({ backend: Backend, apiKey: z.string() });
export type CreatedBackend = z.infer<typeof CreatedBackend>;
export const BackendPage = z.object({ backends: z.array(Backend), nextCursor: NextCursor });
export type BackendPage = z.infer<typeof BackendPage>;

export const Draining = z.object({ draining: z.boolean() });
export type Draining = z.infer<typeof Draining>;

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
export type BackendContainers = z.infer<typeof BackendContainers>;

export const Key = z.object({ id: z.string(), prefix: z.string(), createdAt: Time }).meta({ id: "Key" });
export type Key = z.infer<typeof Key>;
export const CreatedKey = z.object({ key: Key, apiKey: z.string() });
export type CreatedKey = z.infer<typeof CreatedKey>;
export const KeyPage = z.object({ keys: z.array(Key), nextCursor: NextCursor });
export type KeyPage = z.infer<typeof KeyPage>;

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
export type Instance = z.infer<typeof Instance>;

export const NewInstance = z.object({
  sshPublicKey: KeyLine,
  backendId: z.string().max(64).optional(),
  image: z.string().min(1).max(128).optional().meta({ description: "A name from the backend's allow-list." }),
  limits: Limits.optional(),
});
export type NewInstance = z.infer<typeof NewInstance>;
export const InstanceKeys = z.object({ sshPublicKeys: z.array(KeyLine).min(1).max(MAX_SSH_KEYS) });
export const InstancePage = z.object({ instances: z.array(Instance), nextCursor: NextCursor });
export type InstancePage = z.infer<typeof InstancePage>;
export const Id = z.object({ id: z.string().max(64) });
export const KeyId = Id.extend({ keyId: z.string().max(64) });
export const Deleted = z.object({ id: z.string(), deleted: z.literal(true) });
export type Deleted = z.infer<typeof Deleted>;

/** What is put on record, whoever does it. */
export const AuditAction = z.enum(AUDIT_ACTIONS);
export type AuditAction = z.infer<typeof AuditAction>;

export const AuditEntry = z
  .object({
    id: z.string(),
    at: Time,
    username: z.string().nullable().meta({ description: "Null where it is nobody's account." }),
    action: AuditAction,
    subject: z.string().nullable().meta({ description: "The id of what it was done to; of an account, its username." }),
    subjectName: z.string().nullable().meta({
      description: "What that was called then: a backend by its name, an instance by its backend's. Null of the rest.",
    }),
    outcome: z.enum(["done", "refused", "failed"]),
    detail: z
      .string()
      .nullable()
      .meta({ description: "Why not, in the sentence that was answered; or what was done." }),
    address: z.string().nullable().meta({ description: "From where it was asked." }),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;
export const AuditQuery = PageQuery.extend({
  user: z.string().max(256).optional().meta({ description: "Only what this username did." }),
  action: AuditAction.optional(),
});
export const AuditPage = z.object({ entries: z.array(AuditEntry), nextCursor: NextCursor });
export type AuditPage = z.infer<typeof AuditPage>;

/** How far an operation on an instance is. */
interface Progress {
  kind: "progress";
  backendId: string;
  phase: OperationPhase;
  /** Bytes, of an image pull. */
  current?: number | undefined;
  total?: number | undefined;
}

/** An event of `/api/events`: that something is not as it was read before; whoever hears it reads it anew. */
export type NewsItem = { kind: "instances-changed" } | { kind: "backends-changed" } | Progress;
