import type { Kysely, Migration } from "kysely";
import { sql } from "kysely";
import type { Schema } from "./schema.ts";

/** In order of their names; one that has been released never changes. */
export const MIGRATIONS: Record<string, Migration> = {
  "0001-accounts-backends-instances": { up: running(() => FIRST_TABLES) },
  "0002-indexes-of-lists-and-creates": { up: running(() => INDEXES_OF_LISTS_AND_CREATES) },
  "0003-known-sessions-and-saved-keys": { up: running(() => KNOWN_SESSIONS_AND_SAVED_KEYS) },
  "0004-roles-invitations-audit": { up: running(() => ROLES_INVITATIONS_AUDIT) },
  "0005-host-key-and-what-is-wished": { up: running(() => HOST_KEY_AND_WHAT_IS_WISHED) },
  "0006-names-in-the-audit-log": { up: running(() => NAMES_IN_THE_AUDIT_LOG) },
};

function running(statements: () => readonly string[]) {
  return async (db: Kysely<Schema>): Promise<void> => {
    for (const statement of statements()) await sql.raw(statement).execute(db);
  };
}

const FIRST_TABLES = [
  `create table users (
    id text primary key,
    username text not null,
    username_key text not null unique,
    password_hash text not null,
    created_at text not null
  ) strict`,

  `create table sessions (
    token_hash text primary key,
    user_id text not null references users (id) on delete cascade,
    created_at text not null,
    expires_at text not null
  ) strict`,
  `create index sessions_by_user on sessions (user_id)`,
  `create index sessions_by_expiry on sessions (expires_at)`,

  `create table backends (
    id text primary key,
    name text not null,
    owner_id text references users (id),
    created_at text not null,
    last_seen_at text,
    last_status text,
    remote_address text
  ) strict`,
  `create index backends_by_owner on backends (owner_id)`,

  `create table backend_keys (
    id text primary key,
    backend_id text not null references backends (id) on delete cascade,
    hash text not null unique,
    prefix text not null,
    created_at text not null
  ) strict`,
  `create index backend_keys_by_backend on backend_keys (backend_id)`,

  `create table instances (
    id text primary key,
    user_id text not null references users (id),
    backend_id text not null references backends (id),
    state text not null,
    state_reason text,
    container_id text,
    ports text,
    image text,
    ssh_user text,
    host_key_fingerprint text,
    operation_id text,
    pending_command text,
    create_request text,
    created_at text not null
  ) strict`,
  `create index instances_by_user on instances (user_id, created_at, id)`,
  `create index instances_by_backend on instances (backend_id)`,
  // One container per user per backend; what is gone no longer stands in the way of a new one.
  `create unique index instances_one_per_user_per_backend on instances (user_id, backend_id) where state <> 'gone'`,
];

/** Lists are read in their order and no further than their page; the few creates under way without the other instances. */
const INDEXES_OF_LISTS_AND_CREATES = [
  `drop index backends_by_owner`,
  `create index backends_by_owner on backends (owner_id, created_at, id)`,
  `drop index backend_keys_by_backend`,
  `create index backend_keys_by_backend on backend_keys (backend_id, created_at, id)`,
  `create index instances_creating on instances (backend_id) where state = 'creating'`,
];

/** By which a person knows a session of theirs, and the keys that they need not paste again. */
const KNOWN_SESSIONS_AND_SAVED_KEYS = [
  `alter table sessions add column id text`,
  `alter table sessions add column address text`,
  `alter table sessions add column user_agent text`,
  // Random like a UUID of version 4: what tells two apart, and is no secret.
  `update sessions set id = lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`,
  `drop index sessions_by_user`,
  `create unique index sessions_by_user on sessions (user_id, created_at, id)`,

  `create table saved_keys (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    line text not null,
    fingerprint text not null,
    created_at text not null
  ) strict`,
  `create index saved_keys_by_user on saved_keys (user_id, created_at, id)`,
  `create unique index saved_keys_once on saved_keys (user_id, fingerprint)`,
];

/** Until now any account could register backends; who came first is who set the server up. */
const ROLES_INVITATIONS_AUDIT = [
  `alter table users add column role text not null default 'operator'`,
  `update users set role = 'admin' where id = (select id from users order by created_at, id limit 1)`,
  `create index users_by_age on users (created_at, id)`,
  `create index users_by_role on users (role)`,

  `create table invitations (
    id text primary key,
    token_hash text not null unique,
    role text not null,
    note text,
    created_by text not null references users (id) on delete cascade,
    created_at text not null,
    expires_at text not null
  ) strict`,
  `create index invitations_by_age on invitations (created_at, id)`,
  `create index invitations_by_expiry on invitations (expires_at)`,

  // It refers to nothing: what was done stays on record, whatever becomes of whom and what it was done to.
  `create table audit_entries (
    seq integer primary key,
    id text not null,
    created_at text not null,
    user_id text,
    username text,
    action text not null,
    subject text,
    outcome text not null,
    detail text,
    address text
  ) strict`,
  `create index audit_entries_by_age on audit_entries (created_at, id)`,
  `create index audit_entries_by_user on audit_entries (user_id, created_at, id)`,
  `create index audit_entries_by_action on audit_entries (action, created_at, id)`,
];

/** What stands in known_hosts; and whether an instance is as its owner wishes, and since when it is as it is. */
const HOST_KEY_AND_WHAT_IS_WISHED = [
  `alter table instances add column host_key text`,
  `alter table instances add column state_since text`,
  `alter table instances add column wished_state text not null default 'running'`,
  `update instances set wished_state = 'stopped' where state = 'stopped'`,
];

/** What it was done to may be gone by the time that somebody reads of it, and its name with it. */
const NAMES_IN_THE_AUDIT_LOG = [`alter table audit_entries add column subject_name text`];
