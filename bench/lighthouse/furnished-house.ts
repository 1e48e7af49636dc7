import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newUser } from "../../e2e/support/site.ts";
import { SshUser } from "../../e2e/support/ssh.ts";
import { WholeHouse } from "../../e2e/support/whole-house.ts";

/** A main server and its backend, and somebody who has an account and an instance there. */
export class FurnishedHouse implements AsyncDisposable {
  readonly instanceId: string;
  /** For what is needed meanwhile. */
  readonly folder: string;
  readonly #house: WholeHouse;

  private constructor(house: WholeHouse, folder: string, instanceId: string) {
    this.#house = house;
    this.folder = folder;
    this.instanceId = instanceId;
  }

  static async open(): Promise<FurnishedHouse> {
    const house = await WholeHouse.open(newUser("ada"));
    try {
      await using person = await SshUser.arrive();
      const instanceId = await house.createInstance((await person.newKey("ada")).publicKey);
      const folder = await mkdtemp(join(tmpdir(), "dockhost-lighthouse-"));
      const furnished = new FurnishedHouse(house, folder, instanceId);
      await writeFile(furnished.headersFile, JSON.stringify({ Cookie: house.owner.cookie }));
      return furnished;
    } catch (error) {
      await house[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.#house.url;
  }

  get backendId(): string {
    return this.#house.backendId;
  }

  /** JSON, of the headers by which a request is that person's. A command line would show them to everybody. */
  get headersFile(): string {
    return join(this.folder, "headers.json");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#house[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
