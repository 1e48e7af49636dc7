import type { Registry } from "../backends/registry.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import type { SignupPolicy } from "./signup-policy.ts";

interface Parts {
  store: Store;
  registry: Registry;
  signup: SignupPolicy;
  /** Sees to it that this machine's backend has a live key. */
  ensureLocalBackend: () => Promise<void>;
  log: Log;
}

/** Takes over a backup while the server runs. */
export class Restores {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers the file in which the former contents are kept. Throws BackupError, with nothing changed. */
  async restore(staged: string): Promise<string> {
    const { store, signup, registry, ensureLocalBackend, log } = this.#parts;
    const kept = await store.restore(staged);
    if (await store.accounts.any()) signup.accountsAreThere();
    await ensureLocalBackend();
    // Keys are checked anew, and every inventory corrects the records that are now older.
    registry.breakOffAll();
    log.warn({ kept }, "A backup was restored.");
    return kept;
  }
}
