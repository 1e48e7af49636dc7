import { inBatches } from "./batch.ts";
import type { BackendProcess } from "./backend-process.ts";
import type { TestBed } from "./bed.ts";
import { newUsername } from "./ways/dockhost.ts";

const AT_ONCE = 4;

/** Users of the backend, whose containers stand for the sake of what is measured among them. */
export class Crowd {
  readonly #bed: TestBed;
  readonly #backend: BackendProcess;
  #usernames: string[] = [];

  constructor(bed: TestBed, backend: BackendProcess) {
    this.#bed = bed;
    this.#backend = backend;
  }

  /** Lets further users come until there are `size`. */
  async growTo(size: number, onMade: (made: number, of: number) => void): Promise<void> {
    const arriving = Array.from({ length: size - this.#usernames.length }, newUsername);
    await inBatches(arriving, AT_ONCE, async (username) => {
      this.#bed.signal.throwIfAborted();
      await this.#backend.command("create-container", { username, sshPublicKey: this.#bed.sshPublicKey });
      onMade(this.#usernames.push(username), size);
    });
  }

  /** Lets all of them go. */
  async leave(): Promise<void> {
    const leaving = this.#usernames;
    this.#usernames = [];
    await inBatches(leaving, AT_ONCE, (username) => this.#backend.command("delete-container", { username }));
  }
}
