import type { Generated } from "kysely";

/** Every time is ISO 8601 in UTC, so that it sorts as text. */
export interface Schema {
  users: UsersTable;
  sessions: SessionsTable;
  backends: BackendsTable;
  backend_keys: BackendKeysTable;
  instances: InstancesTable;
  saved_keys: SavedKeysTable;
  invitations: InvitationsTable;
  audit_entries: AuditEntriesTable;
}

export interface UsersTable {
  id: string;
  username: string;
  /** The username in lower case: no two accounts differ by case alone. */
  username_key: string;
  password_hash: string;
  created_at: string;
  role: string;
}

export interface SessionsTable {
  /** SHA-256 of the cookie's token, in hex. */
  token_hash: string;
  user_id: string;
  created_at: string;
  expires_at: string;
  /** Names it to its user. */
  id: string;
  /** Of who signed in, as far as they told. */
  address: string | null;
  user_agent: string | null;
}

export interface SavedKeysTable {
  id: string;
  user_id: string;
  name: string;
  /** An OpenSSH public key line in its canonical form. */
  line: string;
  /** `SHA256:…` */
  fingerprint: string;
  created_at: string;
}

/** One that has been used is no longer there. */
export interface InvitationsTable {
  id: string;
  /** SHA-256 of the token, in hex. */
  token_hash: string;
  role: string;
  note: string | null;
  created_by: string;
  created_at: string;
  expires_at: string;
}

export interface AuditEntriesTable {
  /** Their order, without gaps: by it the oldest are removed. */
  seq: Generated<number>;
  id: string;
  created_at: string;
  /** Of who did it; null where it is nobody's account. */
  user_id: string | null;
  username: string | null;
  action: string;
  subject: string | null;
  subject_name: string | null;
  outcome: string;
  detail: string | null;
  address: string | null;
}

export interface BackendsTable {
  id: string;
  name: string;
  /** Null: shared, it serves everyone. */
  owner_id: string | null;
  created_at: string;
  last_seen_at: string | null;
  /** The last validated backend-status, as JSON. */
  last_status: string | null;
  remote_address: string | null;
}

export interface BackendKeysTable {
  id: string;
  backend_id: string;
  /** SHA-256 of the key, in hex. */
  hash: string;
  /** The key's first characters, by which a person tells two keys apart. */
  prefix: string;
  created_at: string;
}

export interface InstancesTable {
  id: string;
  user_id: string;
  backend_id: string;
  state: string;
  state_reason: string | null;
  container_id: string | null;
  /** JSON. */
  ports: string | null;
  image: string | null;
  ssh_user: string | null;
  host_key_fingerprint: string | null;
  /** `ssh-ed25519 AAAA…` */
  host_key: string | null;
  /** The operation last sent for this instance, and its command while the outcome is not known. */
  operation_id: string | null;
  pending_command: string | null;
  /** JSON of the create that is not settled yet, from which it can be sent again. */
  create_request: string | null;
  /** Since when the state is known to be what it is; null where that was before it was recorded. */
  state_since: string | null;
  /** As its owner wishes it: running or stopped. */
  wished_state: Generated<string>;
  created_at: string;
}
