import { setImmediate as turn } from "node:timers/promises";
import type { Log } from "../observe/log.ts";
import type { User } from "../store/accounts-store.ts";
import type { SessionsStore } from "../store/sessions-store.ts";

/** How long what has ended unseen (it expired, or a backup was restored) may stay open, ms. */
const CHECK_MS = 30_000;

/** Something that is open by a session. */
interface Open {
  readonly tokenHash: string;
  readonly user: User;
  /** Ends it, and tells why in one sentence. */
  readonly end: (reason: string) => void;
}

/**
 * Ends what is open by a session when the session ends. Levels, not edges: each check asks the store whether the sessions
 * are still there, so that no way in which one can end is forgotten; to end one here and now is only a reason to check.
 */
export class SessionWatch implements Disposable {
  readonly #sessions: SessionsStore;
  readonly #log: Log;
  readonly #open = new Set<Open>();
  readonly #timer: NodeJS.Timeout;

  constructor(sessions: SessionsStore, log: Log) {
    this.#sessions = sessions;
    this.#log = log;
    this.#timer = setInterval(() => void this.check(), CHECK_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Answers how to stop. */
  follow(open: Open): () => void {
    this.#open.add(open);
    return () => void this.#open.delete(open);
  }

  /** Never throws: what could not be looked at is looked at again. */
  async check(concerns: (open: Open) => boolean = () => true): Promise<void> {
    try {
      for (const open of [...this.#open].filter(concerns)) {
        const user = await this.#sessions.userOf(open.tokenHash);
        const reason = whyOver(open.user, user);
        if (reason !== undefined) open.end(reason);
        await turn();
      }
    } catch (error) {
      this.#log.error({ err: error }, "It could not be seen which sessions have ended.");
    }
  }
}

/** What an admin may see ends with the role; nobody loses anything by another change of it. */
function whyOver(before: User, now: User | undefined): string | undefined {
  if (!now) return "Your session has ended; sign in again.";
  if (before.role === "admin" && now.role !== "admin") return "You are no longer an admin; open it again.";
  return undefined;
}
