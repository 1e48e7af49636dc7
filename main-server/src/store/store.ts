import { sql } from "kysely";
import { AccountsStore } from "./accounts-store.ts";
import { BackendsStore } from "./backends-store.ts";
import { openDatabase, type Database } from "./database.ts";
import { InstancesStore } from "./instances-store.ts";
import { KeysStore } from "./keys-store.ts";
import { SessionsStore } from "./sessions-store.ts";

/** Everything that outlives the process. */
export class Store implements AsyncDisposable {
  readonly accounts: AccountsStore;
  readonly sessions: SessionsStore;
  readonly backends: BackendsStore;
  readonly keys: KeysStore;
  readonly instances: InstancesStore;
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
    this.accounts = new AccountsStore(db);
    this.sessions = new SessionsStore(db);
    this.backends = new BackendsStore(db);
    this.keys = new KeysStore(db);
    this.instances = new InstancesStore(db);
  }

  static async open(dataDir: string): Promise<Store> {
    return new Store(await openDatabase(dataDir));
  }

  /** Throws where the store does not answer. */
  async check(): Promise<void> {
    await sql`select 1`.execute(this.#db);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }
}
