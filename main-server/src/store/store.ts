import { sql } from "kysely";
import { AccountsStore } from "./accounts-store.ts";
import { AuditStore } from "./audit-store.ts";
import { BackendsStore } from "./backends-store.ts";
import { DataDirectory } from "./data-directory.ts";
import { databaseFile, openDatabase, type Database } from "./database.ts";
import { InstancesStore } from "./instances-store.ts";
import { InvitationsStore } from "./invitations-store.ts";
import { KeysStore } from "./keys-store.ts";
import { replaceContents } from "./restore.ts";
import { SavedKeysStore } from "./saved-keys-store.ts";
import { SessionsStore } from "./sessions-store.ts";
import { Writes } from "./writes.ts";

/** Everything that outlives the process. */
export class Store implements AsyncDisposable {
  readonly accounts: AccountsStore;
  readonly sessions: SessionsStore;
  readonly backends: BackendsStore;
  readonly keys: KeysStore;
  readonly instances: InstancesStore;
  readonly savedKeys: SavedKeysStore;
  readonly invitations: InvitationsStore;
  readonly audit: AuditStore;
  readonly #directory: DataDirectory;
  readonly #db: Database;
  readonly #writes: Writes;

  private constructor(directory: DataDirectory, db: Database, writes: Writes) {
    this.#directory = directory;
    this.#db = db;
    this.#writes = writes;
    this.accounts = new AccountsStore(db, writes);
    this.sessions = new SessionsStore(db, writes);
    this.backends = new BackendsStore(db, writes);
    this.keys = new KeysStore(db, writes);
    this.instances = new InstancesStore(db, writes);
    this.savedKeys = new SavedKeysStore(db, writes);
    this.invitations = new InvitationsStore(db, writes);
    this.audit = new AuditStore(db, writes);
  }

  /** Of one process at a time. Throws StoreError. */
  static async open(dataDir: string): Promise<Store> {
    const directory = await DataDirectory.take(dataDir);
    try {
      const db = await openDatabase(directory.path);
      return new Store(directory, db, new Writes(databaseFile(directory.path)));
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  get dataDir(): string {
    return this.#directory.path;
  }

  /** Throws where the store does not answer. */
  async check(): Promise<void> {
    await sql`select 1`.execute(this.#db);
  }

  /**
   * Puts a staged backup in the place of what is stored, between two queries; answers the file in which the former
   * contents are kept. Throws BackupError, with nothing changed.
   */
  restore(staged: string): Promise<string> {
    return this.#writes.without(() => replaceContents(this.#db, this.#directory.path, staged));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writes[Symbol.asyncDispose]();
    await this.#db.destroy();
    await this.#directory[Symbol.asyncDispose]();
  }
}
