import { randomBytes } from "node:crypto";
import { sameSecret } from "./api-key.ts";
import { ServiceError } from "./errors.ts";

/** Who may sign up uninvited: everyone, no one, or who holds the one-time token of the first account. */
export class SignupPolicy {
  readonly #open: boolean;
  #token: string | undefined;

  constructor(open: boolean, anyAccount: boolean) {
    this.#open = open;
    if (!open && !anyAccount) this.#token = randomBytes(24).toString("base64url");
  }

  get state(): "open" | "closed" | "token" {
    if (this.#open) return "open";
    return this.#token === undefined ? "closed" : "token";
  }

  /** Of the first account, while there is none and sign-up is closed. */
  get firstAccountToken(): string | undefined {
    return this.#token;
  }

  /** A restore may have brought accounts: then there is no first one to be made any more. */
  accountsAreThere(): void {
    this.#token = undefined;
  }

  /** Runs `signUp` where it is allowed. The token is spent by a success alone, and never by two at once. */
  async admit<Account>(token: string | undefined, signUp: () => Promise<Account>): Promise<Account> {
    if (this.#open) return signUp();
    const expected = this.#token;
    if (expected === undefined)
      throw new ServiceError("FORBIDDEN", "Sign-up is closed on this server; it takes an invitation.");
    if (token === undefined || !sameSecret(token, expected)) {
      throw new ServiceError(
        "FORBIDDEN",
        "Sign-up needs the one-time token that the main server printed at its start.",
      );
    }
    this.#token = undefined;
    return signUp().catch((error: unknown) => {
      this.#token = expected;
      throw error;
    });
  }
}
