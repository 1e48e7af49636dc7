import { randomBytes } from "node:crypto";
import type { User } from "../store/accounts-store.ts";
import type { Client, SessionRecord } from "../store/sessions-store.ts";
import type { Store } from "../store/store.ts";
import { sha256 } from "./api-key.ts";
import { ServiceError } from "./errors.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";
import type { Passwords } from "./passwords.ts";
import type { SessionWatch } from "./session-watch.ts";
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

interface Parts {
  store: Store;
  passwords: Passwords;
  policy: SignupPolicy;
  watch: SessionWatch;
}

export class Accounts {
  readonly #store: Store;
  readonly #passwords: Passwords;
  readonly #policy: SignupPolicy;
  readonly #watch: SessionWatch;

  constructor({ store, passwords, policy, watch }: Parts) {
    this.#store = store;
    this.#passwords = passwords;
    this.#policy = policy;
    this.#watch = watch;
  }

  /** Who may sign up without being invited, and whether the account would be the first. */
  async signupPolicy(): Promise<{ open: boolean; firstAccount: boolean }> {
    return { open: this.#policy.state === "open", firstAccount: !(await this.#store.accounts.any()) };
  }

  /** By an invitation where `token` is one. Throws FORBIDDEN where sign-up is closed, ALREADY_EXISTS where the name is taken. */
  async signUp(credentials: Credentials, token: string | undefined, client: Client): Promise<Session> {
    const invited = token !== undefined && (await this.#store.invitations.isLive(sha256(token)));
    const user = invited
      ? await this.#addInvited(credentials, token)
      : await this.#policy.admit(token, () => this.#add(credentials));
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
    const ended = sha256(token);
    await this.#store.sessions.remove(ended);
    await this.#watch.check(({ tokenHash }) => tokenHash === ended);
  }

  async userOf(token: string): Promise<User | undefined> {
    return this.#store.sessions.userOf(sha256(token));
  }

  /** Whose name this is, in whatever case. */
  async named(username: string): Promise<User | undefined> {
    return (await this.#store.accounts.withPasswordHash(username))?.user;
  }

  /** `end` is called once the session of this token is over, with the reason. Answers how to stop. */
  whileSignedIn(user: User, token: string, end: (reason: string) => void): () => void {
    return this.#watch.follow({ tokenHash: sha256(token), user, end });
  }

  /** Ends every other session of theirs. Throws FORBIDDEN where the password is not the current one. */
  async changePassword({ id, username }: User, token: string, current: string, wanted: string): Promise<void> {
    const account = await this.#store.accounts.withPasswordHash(username);
    if (!(await this.#passwords.matches(account?.passwordHash, current))) {
      throw new ServiceError("FORBIDDEN", "The current password is wrong.");
    }
    await this.#store.accounts.setPasswordHash(id, await this.#passwords.hash(wanted));
    await this.#store.sessions.endOthers(id, sha256(token));
    await this.#watch.check(({ user }) => user.id === id);
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
    const ended = await this.#store.sessions.end(user.id, id);
    if (!ended) throw new ServiceError("NOT_FOUND", "There is no such session.");
    await this.#watch.check((open) => open.user.id === user.id);
  }

  async #add({ username, password }: Credentials): Promise<User> {
    const added = await this.#store.accounts.add(username, await this.#passwords.hash(password));
    return added ?? taken();
  }

  async #addInvited({ username, password }: Credentials, token: string): Promise<User> {
    const passwordHash = await this.#passwords.hash(password);
    const added = await this.#store.accounts.addInvited(username, passwordHash, sha256(token));
    if (added === "taken") return taken();
    if (added !== "not-invited") return added;
    throw new ServiceError("FORBIDDEN", "This invitation has been used or has ended; ask for another one.");
  }

  async #openSession(user: User, client: Client): Promise<Session> {
    const token = randomBytes(32).toString("base64url");
    await this.#store.sessions.removeExpired();
    await this.#store.sessions.add(sha256(token), user.id, new Date(Date.now() + SESSION_DAYS * DAY_MS), client);
    return { user, token };
  }
}

function taken(): never {
  throw new ServiceError("ALREADY_EXISTS", "This username is taken; choose another one.");
}
