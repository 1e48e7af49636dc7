import { parseSshPublicKey } from "@dockhost/protocol";
import type { SavedKey } from "../store/saved-keys-store.ts";
import type { Store } from "../store/store.ts";
import { ServiceError } from "./errors.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";

export type { SavedKey };

/** The SSH keys that people keep here for instances to come. */
export class SavedKeys {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Named after its comment where no name is given. Throws INVALID_KEY, or ALREADY_EXISTS where it is saved already. */
  async add(userId: string, sshPublicKey: string, name: string | undefined): Promise<SavedKey> {
    const result = parseSshPublicKey(sshPublicKey);
    if (!result.ok) throw new ServiceError("INVALID_KEY", result.reason);
    const { line } = result.key;
    const [type = "", blob = "", ...comment] = line.split(" ");
    const key = { name: name ?? (comment.join(" ") || type), line, fingerprint: fingerprintOf(blob) };
    const saved = await this.#store.savedKeys.add(userId, key);
    if (saved) return saved;
    throw new ServiceError("ALREADY_EXISTS", "You have saved this key already.");
  }

  /** Oldest first. */
  async list(userId: string, query: PageQuery): Promise<Page<SavedKey>> {
    return readPage(`saved keys of ${userId}`, query, (limit, after) =>
      this.#store.savedKeys.ofUser(userId, limit, after),
    );
  }

  async remove(userId: string, id: string): Promise<void> {
    if (await this.#store.savedKeys.remove(userId, id)) return;
    throw new ServiceError("NOT_FOUND", "You have saved no such key.");
  }
}
