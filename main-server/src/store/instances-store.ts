import type { CommandInput, CommandName, Container, ContainerState, Ports } from "@dockhost/protocol";
import { sql, type Selectable, type UpdateObject } from "kysely";
import { isUniqueViolation, type Database } from "./database.ts";
import { isBefore, type Position } from "./position.ts";
import { prepared } from "./prepared.ts";
import type { InstancesTable, Schema } from "./schema.ts";
import type { Writes } from "./writes.ts";

/** What is stored; `unreachable` is never, it is told at each reading from who is connected. */
type RecordedState = ContainerState | "creating" | "gone";

type WishedState = "running" | "stopped";

export type CreateRequest = CommandInput<"create-container">;

export interface InstanceRecord {
  id: string;
  userId: string;
  username: string;
  backendId: string;
  state: RecordedState;
  stateReason: string | null;
  containerId: string | null;
  ports: Ports | null;
  image: string | null;
  sshUser: string | null;
  hostKeyFingerprint: string | null;
  /** `ssh-ed25519 AAAA…`, as the backend told it. */
  hostKey: string | null;
  operationId: string | null;
  /** The command whose outcome is not known yet. */
  pendingCommand: CommandName | null;
  /** Of a create that is not settled yet. */
  createRequest: CreateRequest | null;
  /** As its owner wishes it, by what was done last. */
  wishedState: WishedState;
  /** Since when it is known to be in its state; null where that was not recorded yet. */
  stateSince: string | null;
  createdAt: string;
}

/** An instance, and whose it is. */
type Whose = Pick<InstanceRecord, "id" | "userId">;

export class InstancesStore {
  readonly #db: Database;
  readonly #writes: Writes;
  readonly #withId: (id: string) => Promise<InstanceRow[]>;
  #onChange: (userId: string) => void = () => undefined;

  constructor(db: Database, writes: Writes) {
    this.#db = db;
    this.#writes = writes;
    this.#withId = prepared(db, this.#select().where("instances.id", "=", "the id"));
  }

  /** `listener` hears whose instances are not as before, once that is stored. */
  onChange(listener: (userId: string) => void): void {
    this.#onChange = listener;
  }

  /** Undefined where the user already has an instance on this backend. */
  async addCreating(
    { id, userId, backendId }: { id: string; userId: string; backendId: string },
    request: CreateRequest,
  ): Promise<InstanceRecord | undefined> {
    const row = { id, user_id: userId, backend_id: backendId, created_at: new Date().toISOString() };
    const operation = { operation_id: request.operationId ?? null, pending_command: "create-container" };
    const creating = { state: "creating", create_request: JSON.stringify(request) };
    try {
      await this.#writes.run(this.#db.insertInto("instances").values({ ...row, ...operation, ...creating }));
    } catch (error) {
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
    this.#onChange(userId);
    return this.get(id);
  }

  async get(id: string): Promise<InstanceRecord | undefined> {
    const [row] = await this.#withId(id);
    return row && toInstance(row);
  }

  /** Newest first. */
  async ofUser(userId: string, limit: number, after: Position | undefined): Promise<InstanceRecord[]> {
    let query = this.#select().where("user_id", "=", userId);
    if (after) query = query.where(isBefore("instances", after));
    const newestFirst = query.orderBy("instances.created_at", "desc").orderBy("instances.id", "desc");
    return (await newestFirst.limit(limit).execute()).map(toInstance);
  }

  async ofBackend(backendId: string): Promise<InstanceRecord[]> {
    return (await this.#select().where("backend_id", "=", backendId).execute()).map(toInstance);
  }

  async ofUserOnBackend(username: string, backendId: string): Promise<InstanceRecord[]> {
    const query = this.#select().where("backend_id", "=", backendId).where("users.username", "=", username);
    return (await query.execute()).map(toInstance);
  }

  /** The backends on which the user has an instance that is not gone. */
  async backendsOf(userId: string): Promise<Set<string>> {
    const query = this.#db.selectFrom("instances").select("backend_id").where("user_id", "=", userId);
    const rows = await query.where("state", "<>", "gone").execute();
    return new Set(rows.map((row) => row.backend_id));
  }

  /** How many creates each backend is busy with. */
  async creatingByBackend(): Promise<Map<string, number>> {
    // Said in the query's own text, by which SQLite knows that the index of creates serves.
    const creating = sql.lit("creating");
    const query = this.#db.selectFrom("instances").where("state", "=", creating).groupBy("backend_id");
    const rows = await query.select(["backend_id", (of) => of.fn.countAll<number>().as("count")]).execute();
    return new Map(rows.map((row) => [row.backend_id, row.count]));
  }

  /** Written before the command is sent, so that no crash leaves one that nobody knows of. */
  async begin(instance: Whose, operationId: string, command: CommandName): Promise<void> {
    await this.#update(instance, { operation_id: operationId, pending_command: command });
  }

  /** A command that the backend refused has changed nothing. */
  async endPending(instance: Whose): Promise<void> {
    await this.#update(instance, { pending_command: null });
  }

  /** The container as it now is; whatever was pending is settled. */
  async settle(instance: Whose, container: Container, stateReason: string | null): Promise<void> {
    const access = container.ssh && {
      ssh_user: container.ssh.user,
      host_key_fingerprint: container.ssh.hostKeyFingerprint,
      host_key: container.ssh.hostKey ?? null,
    };
    await this.#update(instance, {
      state: container.state,
      state_since: sinceNowUnless(container.state),
      wished_state: wishAfter(container.state),
      state_reason: stateReason,
      container_id: container.containerId,
      ports: JSON.stringify(container.ports),
      image: container.image,
      ...access,
      pending_command: null,
      create_request: null,
    });
  }

  async markGone(instance: Whose, stateReason: string): Promise<void> {
    await this.#update(instance, {
      state: "gone",
      state_since: sinceNowUnless("gone"),
      state_reason: stateReason,
      pending_command: null,
      create_request: null,
    });
  }

  async remove({ id, userId }: Whose): Promise<void> {
    await this.#writes.run(this.#db.deleteFrom("instances").where("id", "=", id));
    this.#onChange(userId);
  }

  #select() {
    return this.#db
      .selectFrom("instances")
      .innerJoin("users", "users.id", "instances.user_id")
      .selectAll("instances")
      .select("users.username");
  }

  async #update({ id, userId }: Whose, changes: UpdateObject<Schema, "instances">): Promise<void> {
    await this.#writes.run(this.#db.updateTable("instances").set(changes).where("id", "=", id));
    this.#onChange(userId);
  }
}

/** A stop of its owner's that is settled is what they wish, until it runs again; one that was refused has changed nothing. */
const wishAfter = (state: RecordedState) =>
  sql<string>`case when ${state} = 'running' then 'running' when pending_command = 'stop-container' then 'stopped' else wished_state end`;

/** The moment of a change, not of each time that the same is told again. */
const sinceNowUnless = (state: RecordedState) =>
  sql<string | null>`case when state = ${state} then state_since else ${new Date().toISOString()} end`;

type InstanceRow = Selectable<InstancesTable> & { username: string };

const toInstance = (row: InstanceRow): InstanceRecord => ({
  id: row.id,
  userId: row.user_id,
  username: row.username,
  backendId: row.backend_id,
  state: row.state as RecordedState,
  stateReason: row.state_reason,
  containerId: row.container_id,
  ports: row.ports === null ? null : (JSON.parse(row.ports) as Ports),
  image: row.image,
  sshUser: row.ssh_user,
  hostKeyFingerprint: row.host_key_fingerprint,
  hostKey: row.host_key,
  operationId: row.operation_id,
  pendingCommand: row.pending_command as CommandName | null,
  createRequest: row.create_request === null ? null : (JSON.parse(row.create_request) as CreateRequest),
  wishedState: row.wished_state as WishedState,
  stateSince: row.state_since,
  createdAt: row.created_at,
});
