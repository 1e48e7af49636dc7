import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import type { Container } from "@dockhost/protocol";
import { newUser, type Site } from "../support/site.ts";
import type { KeyPair, SshUser } from "../support/ssh.ts";

/** Somebody with a container and a file in it, who notices when either is not as it was. */
export class Tenant {
  readonly username: string;
  /** As it was told when it was made. */
  readonly container: Container;
  readonly #person: SshUser;
  readonly #key: KeyPair;

  private constructor(container: Container, person: SshUser, key: KeyPair) {
    this.username = container.username;
    this.container = container;
    this.#person = person;
    this.#key = key;
  }

  static async settle(site: Site, person: SshUser, name: string): Promise<Tenant> {
    const key = await person.newKey(newUser(name));
    const request = { username: newUser(name), sshPublicKey: key.publicKey, operationId: randomUUID() };
    const tenant = new Tenant(await site.connection.succeed("create-container", request), person, key);
    // On disk before the fault, as a user's file is some seconds after it was written.
    await tenant.#run(`echo ${tenant.username} > /srv/note && sync /srv/note`);
    return tenant;
  }

  async stop(site: Site): Promise<void> {
    await site.connection.succeed("stop-container", { username: this.username });
  }

  /** The same container in that state, at the same ports; where it runs, its owner logs in and finds the file. */
  async expectAsBefore(site: Site, state: "running" | "stopped"): Promise<void> {
    const { username, container } = this;
    const { containerId, ports } = container;
    const { containers } = await site.connection.succeed("list-containers", { username });
    expect(containers).toMatchObject([{ username, containerId, ports, state }]);
    if (state === "running") expect(await this.#run("cat /srv/note")).toBe(`${username}\n`);
  }

  /** One container that runs at other ports, with the file in it. */
  async expectMoved(site: Site): Promise<void> {
    const { containers } = await site.connection.succeed("list-containers", { username: this.username });
    const [moved] = containers;
    expect(containers).toMatchObject([{ username: this.username, state: "running" }]);
    expect(moved?.ports).not.toEqual(this.container.ports);
    expect(await this.#run("cat /srv/note", moved)).toBe(`${this.username}\n`);
  }

  /** Logs in, as soon as that is possible. */
  async #run(command: string, container = this.container): Promise<string> {
    return vi.waitFor(
      async () => {
        const { code, stdout, stderr } = await this.#person.login(container, this.#key, command);
        if (code !== 0) throw new Error(`${command}: ${stderr}`);
        return stdout;
      },
      { timeout: 60_000, interval: 250 },
    );
  }
}
