import { hash, verify } from "@node-rs/argon2";

/** Argon2id with 19 MiB, two passes, one lane: OWASP's recommendation, and the library's default. */
export class Passwords {
  /** Verified against where there is no such account, so that the answer takes as long. */
  readonly #nobodys: string;

  private constructor(nobodys: string) {
    this.#nobodys = nobodys;
  }

  static async create(): Promise<Passwords> {
    return new Passwords(await hash("nobody's password"));
  }

  hash(password: string): Promise<string> {
    return hash(password);
  }

  /** Takes as long without a hash as with one. */
  async matches(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matches = await verify(passwordHash ?? this.#nobodys, password);
    return passwordHash !== undefined && matches;
  }
}
