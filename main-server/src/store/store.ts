import { sql } from "kysely";
import { AccountsStore } from "./accounts-store.ts";
import { BackendsStore } from "./backends-store.ts";
import { DataDirectory } from "./data-directory.ts";
import { openDatabase, type Database } from "./database.ts";
import { InstancesStore } from "./instances-store.ts";
import { KeysStore } from "./keys-store.ts";
import { replaceContents } from "./restore.ts";
import { SessionsStore } from "./sessions-store.ts";

/** Everything that outlives the process. */
export class Store implements AsyncDisposable {
  readonly accounts: AccountsStore;
  readonly sessions: SessionsStore;
  readonly backends: BackendsStore;
  readonly keys: KeysStore;
  readonly instances: InstancesStore;
  readonly #directory: DataDirectory;
  readonly #db: Database;

  private constructor(directory: DataDirectory, db: Database) {
    this.#directory = directory;
    this.#db = db;
    this.accounts = new AccountsStore(db);
    this.sessions = new SessionsStore(db);
    this.backends = new BackendsStore(db);
    this.keys = new KeysStore(db);
    this.instances = new InstancesStore(db);
  }

  /** Of one process at a time. Throws StoreError. */
  static async open(dataDir: string): Promise<Store> {
    const directory = await DataDirectory.take(dataDir);
    try {
      return new Store(directory, await openDatabase(directory.path));
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
    return replaceContents(this.#db, this.#directory.path, staged);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
    await this.#directory[Symbol.asyncDispose]();
  }
}
