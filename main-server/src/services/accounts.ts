import { randomBytes } from "node:crypto";
import type { User } from "../store/accounts-store.ts";
import type { Client, SessionRecord } from "../store/sessions-store.ts";
import type { Store } from "../store/store.ts";
import { sha256 } from "./api-key.ts";
import { ServiceError } from "./errors.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import type { Passwords } from "./passwords.ts";
import type { SignupPolicy } from "./signup-policy.ts";

export type { Client, User };

export const SESSION_DAYS = 30;
const DAY_MS = 86_400_000;

export interface Session {
  user: User;
  /** For the cookie; the store has only its hash. */
  token: string;
}

/** A session as its user is told of it. */
export interface SessionView extends Pick<SessionRecord, "id" | "address" | "userAgent" | "createdAt" | "expiresAt"> {
  /** The one that asks. */
  current: boolean;
}

export interface Credentials {
  username: string;
  password: string;
}

export class Accounts {
  readonly #store: Store;
  readonly #passwords: Passwords;
  readonly #policy: SignupPolicy;

  constructor(store: Store, passwords: Passwords, policy: SignupPolicy) {
    this.#store = store;
    this.#passwords = passwords;
    this.#policy = policy;
  }

  /** Throws FORBIDDEN where sign-up is closed, ALREADY_EXISTS where the name is taken. */
  async signUp({ username, password }: Credentials, token: string | undefined, client: Client): Promise<Session> {
    const user = await this.#policy.admit(token, async () => {
      const added = await this.#store.accounts.add(username, await this.#passwords.hash(password));
      if (added) return added;
      throw new ServiceError("ALREADY_EXISTS", "This username is taken; choose another one.");
    });
    return this.#openSession(user, client);
  }

  /** Throws UNAUTHENTICATED, alike and after the same time for a wrong user and a wrong password. */
  async signIn({ username, password }: Credentials, client: Client): Promise<Session> {
    const account = await this.#store.accounts.withPasswordHash(username);
    const matches = await this.#passwords.matches(account?.passwordHash, password);
    if (account && matches) return this.#openSession(account.user, client);
    throw new ServiceError("UNAUTHENTICATED", "The username or the password is wrong.");
  }

  async signOut(token: string): Promise<void> {
    await this.#store.sessions.remove(sha256(token));
  }

  async userOf(token: string): Promise<User | undefined> {
    return this.#store.sessions.userOf(sha256(token));
  }

  /** Ends every other session of theirs. Throws FORBIDDEN where the password is not the current one. */
  async changePassword({ id, username }: User, token: string, current: string, wanted: string): Promise<void> {
    const account = await this.#store.accounts.withPasswordHash(username);
    if (!(await this.#passwords.matches(account?.passwordHash, current))) {
      throw new ServiceError("FORBIDDEN", "The current password is wrong.");
    }
    await this.#store.accounts.setPasswordHash(id, await this.#passwords.hash(wanted));
    await this.#store.sessions.endOthers(id, sha256(token));
  }

  /** Newest first. */
  async sessions(user: User, token: string, query: PageQuery): Promise<Page<SessionView>> {
    const { items, nextCursor } = await readPage(`sessions of ${user.id}`, query, (limit, after) =>
      this.#store.sessions.ofUser(user.id, limit, after),
    );
    const current = sha256(token);
    return { items: items.map(({ tokenHash, ...told }) => ({ ...told, current: tokenHash === current })), nextCursor };
  }

  async endSession(user: User, id: string): Promise<void> {
    if (await this.#store.sessions.end(user.id, id)) return;
    throw new ServiceError("NOT_FOUND", "There is no such session.");
  }

  async #openSession(user: User, client: Client): Promise<Session> {
    const token = randomBytes(32).toString("base64url");
    await this.#store.sessions.removeExpired();
    await this.#store.sessions.add(sha256(token), user.id, new Date(Date.now() + SESSION_DAYS * DAY_MS), client);
    return { user, token };
  }
}
