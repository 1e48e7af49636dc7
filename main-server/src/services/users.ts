import type { Role } from "@dockhost/protocol/rest";
import type { User, UserWithInstances } from "../store/accounts-store.ts";
import type { Store } from "../store/store.ts";
import { ServiceError } from "./errors.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import type { SessionWatch } from "./session-watch.ts";

/** What admins do with everyone's accounts. */
export class Users {
  readonly #store: Store;
  readonly #watch: SessionWatch;

  constructor(store: Store, watch: SessionWatch) {
    this.#store = store;
    this.#watch = watch;
  }

  /** Oldest first. */
  async list(query: PageQuery): Promise<Page<UserWithInstances>> {
    return readPage("users", query, (limit, after) => this.#store.accounts.page(limit, after));
  }

  /** Counts from their next request on; what they have stays theirs. Throws CONFLICT where no admin would be left. */
  async setRole(id: string, role: Role): Promise<User> {
    const changed = await this.#store.accounts.setRole(id, role);
    const user = await this.#store.accounts.get(id);
    if (!user) throw new ServiceError("NOT_FOUND", "There is no such user.");
    if (!changed) throw new ServiceError("CONFLICT", "This is the last admin; make another user an admin first.");
    await this.#watch.check((open) => open.user.id === id);
    return user;
  }
}
