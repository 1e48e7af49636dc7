import type { TerminalSize } from "@dockhost/protocol";
import type {
  AuditPage,
  Backend,
  BackendContainers,
  BackendPage,
  CreatedBackend,
  CreatedInvitation,
  CreatedKey,
  Instance,
  InstancePage,
  InvitationPage,
  KeyPage,
  NewInstance,
  Role,
  SavedKey,
  SavedKeyPage,
  SessionPage,
  SignupReply,
  User,
  UserPage,
} from "@dockhost/protocol/rest";

/** A request that failed. `message` is one sentence for the person who asked. */
export class ApiError extends Error {
  /** As the main server names it; `OFFLINE` where it was not reached at all. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

export type Cursor = string | null;
export interface Credentials {
  username: string;
  password: string;
}
export interface AuditFilter {
  user?: string;
  action?: string;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

const path = (strings: TemplateStringsArray, ...parts: string[]): string =>
  String.raw({ raw: strings }, ...parts.map(encodeURIComponent));

/** Every request that the page makes; each rejects with ApiError. */
export const api = {
  signup: () => ask<SignupReply>("GET", "/api/auth/signup"),
  me: () => ask<{ user: User }>("GET", "/api/auth/me"),
  signUp: (wanted: Credentials & { token?: string | undefined }) =>
    ask<{ user: User }>("POST", "/api/auth/signup", wanted),
  signIn: (credentials: Credentials) => ask<{ user: User }>("POST", "/api/auth/signin", credentials),
  signOut: () => ask<object>("POST", "/api/auth/signout"),
  changePassword: (change: { currentPassword: string; newPassword: string }) =>
    ask<object>("POST", "/api/auth/password", change),
  sessions: (cursor: Cursor) => ask<SessionPage>("GET", paged("/api/auth/sessions", cursor)),
  endSession: (id: string) => ask<object>("DELETE", path`/api/auth/sessions/${id}`),

  savedKeys: (cursor: Cursor) => ask<SavedKeyPage>("GET", paged("/api/keys", cursor)),
  saveKey: (key: { sshPublicKey: string; name?: string | undefined }) => ask<SavedKey>("POST", "/api/keys", key),
  removeSavedKey: (id: string) => ask<object>("DELETE", path`/api/keys/${id}`),

  instances: (cursor: Cursor) => ask<InstancePage>("GET", paged("/api/instances", cursor)),
  instance: (id: string) => ask<Instance>("GET", path`/api/instances/${id}`),
  createInstance: (wanted: NewInstance) => ask<Instance>("POST", "/api/instances", wanted),
  startInstance: (id: string) => ask<Instance>("POST", path`/api/instances/${id}/start`),
  stopInstance: (id: string) => ask<Instance>("POST", path`/api/instances/${id}/stop`),
  replaceKeys: (id: string, sshPublicKeys: readonly string[]) =>
    ask<Instance>("PUT", path`/api/instances/${id}/keys`, { sshPublicKeys }),
  deleteInstance: (id: string) => ask<object>("DELETE", path`/api/instances/${id}`),

  backends: (cursor: Cursor) => ask<BackendPage>("GET", paged("/api/backends", cursor)),
  backend: (id: string) => ask<Backend>("GET", path`/api/backends/${id}`),
  registerBackend: (name: string) => ask<CreatedBackend>("POST", "/api/backends", { name }),
  setDraining: (id: string, draining: boolean) => ask<object>("PUT", path`/api/backends/${id}/draining`, { draining }),
  deleteBackend: (id: string) => ask<object>("DELETE", path`/api/backends/${id}`),
  backendContainers: (id: string) => ask<BackendContainers>("GET", path`/api/backends/${id}/containers`),
  backendKeys: (id: string, cursor: Cursor) => ask<KeyPage>("GET", paged(path`/api/backends/${id}/keys`, cursor)),
  mintBackendKey: (id: string) => ask<CreatedKey>("POST", path`/api/backends/${id}/keys`),
  revokeBackendKey: (id: string, keyId: string) => ask<object>("DELETE", path`/api/backends/${id}/keys/${keyId}`),

  users: (cursor: Cursor) => ask<UserPage>("GET", paged("/api/users", cursor)),
  setRole: (id: string, role: Role) => ask<User>("PUT", path`/api/users/${id}/role`, { role }),
  invitations: (cursor: Cursor) => ask<InvitationPage>("GET", paged("/api/invitations", cursor)),
  invite: (wanted: { role: Role; note?: string | undefined }) =>
    ask<CreatedInvitation>("POST", "/api/invitations", wanted),
  revokeInvitation: (id: string) => ask<object>("DELETE", path`/api/invitations/${id}`),
  audit: (filter: AuditFilter, cursor: Cursor) => ask<AuditPage>("GET", paged("/api/audit", cursor, { ...filter })),
};

/** Where a view's own WebSocket is. */
export const streamPath = {
  shell: (id: string, { columns, rows }: TerminalSize) =>
    `${path`/api/instances/${id}/shell`}?columns=${columns}&rows=${rows}`,
  instanceStats: (id: string) => path`/api/instances/${id}/stats`,
  containerStats: (backendId: string, username: string) =>
    path`/api/backends/${backendId}/containers/${username}/stats`,
  instanceLog: (id: string) => path`/api/instances/${id}/logs`,
  backendLog: (id: string) => path`/api/backends/${id}/log`,
};

function paged(address: string, cursor: Cursor, filter: Record<string, string> = {}): string {
  const wished = Object.entries(filter).filter(([, value]) => value !== "");
  const query = new URLSearchParams([...wished, ...(cursor === null ? [] : [["cursor", cursor]])] as [
    string,
    string,
  ][]);
  return query.size === 0 ? address : `${address}?${query}`;
}

async function ask<Answer>(method: Method, address: string, body?: object): Promise<Answer> {
  const response = await send(method, address, body);
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Answer;
  const { code = "INTERNAL", message = `The main server answered ${response.status}; try again.` } =
    (answer as { error?: { code?: string; message?: string } } | undefined)?.error ?? {};
  throw new ApiError(code, message);
}

async function send(method: Method, address: string, body?: object): Promise<Response> {
  try {
    return await fetch(address, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  } catch {
    throw new ApiError("OFFLINE", "The main server was not reached; check the connection, then try again.");
  }
}
