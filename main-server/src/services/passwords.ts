import { hash, verify } from "@node-rs/argon2";

type Verify = (passwordHash: string, password: string) => Promise<boolean>;

/** Argon2id with 19 MiB, two passes, one lane: OWASP's recommendation, and the library's default. */
export class Passwords {
  readonly #verify: Verify;
  /** Verified against where there is no such account, so that the answer takes as long. */
  readonly #nobodys: string;

  private constructor(nobodys: string, verifier: Verify) {
    this.#nobodys = nobodys;
    this.#verify = verifier;
  }

  static async create(verifier: Verify = verify): Promise<Passwords> {
    return new Passwords(await hash("nobody's password"), verifier);
  }

  hash(password: string): Promise<string> {
    return hash(password);
  }

  /** Takes as long without a hash as with one. */
  async matches(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matches = await this.#verify(passwordHash ?? this.#nobodys, password);
    return passwordHash !== undefined && matches;
  }
}
