import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CommandInput, CommandName, Reply } from "@dockhost/protocol";
import { outcome } from "../support/docker-cli.ts";
import { JumpingClock } from "../support/jumping-clock.ts";
import { PrivateEngine } from "../support/private-engine.ts";
import { newUser, Site } from "../support/site.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { expectHealed } from "./healed.ts";
import { record } from "./ledger.ts";
import { Tenant } from "./tenant.ts";

const KIB = 1_024;

let disk: TinyDisk;
let machine: PrivateEngine;
let person: SshUser;
let key: KeyPair;

beforeAll(async () => {
  // Before the machine, which sees no mount that comes later.
  disk = await TinyDisk.mount();
  machine = await PrivateEngine.open();
  person = await SshUser.arrive(machine.address);
  key = await person.newKey("ada");
});
afterAll(async () => {
  await person[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
  await disk[Symbol.asyncDispose]();
});

const asking = (name: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
});

const operation = ({ username }: { username: string }) => ({ username, operationId: randomUUID() });

/** The reply, on whichever connection: Socket.IO itself takes a jump ahead for a long silence and connects anew. */
async function insist<Name extends CommandName>(
  site: Site,
  command: Name,
  request: CommandInput<Name>,
): Promise<Reply<Name>> {
  for (;;) {
    const reconnected = site.server.nextConnection().then(() => undefined);
    const reply = site.connection.reply(command, request).catch(() => reconnected);
    const told = await Promise.race([reply, reconnected]);
    if (told) return told;
  }
}

/** A disk of one MiB that holds a site's data directory alone. */
class TinyDisk implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async mount(): Promise<TinyDisk> {
    const path = await mkdtemp(join(tmpdir(), "dockhost-tiny-disk-"));
    const { code, stderr } = await outcome("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]);
    if (code !== 0) throw new Error(stderr);
    return new TinyDisk(path);
  }

  get dataDirectory(): string {
    return join(this.#path, "data");
  }

  /** Leaves so many pages of 4 KiB free. */
  async fill(freePages: number): Promise<void> {
    await outcome("dd", ["if=/dev/zero", `of=${this.#ballast}`, "bs=4k"]);
    const { stdout } = await outcome("stat", ["--format", "%s", this.#ballast]);
    await outcome("truncate", ["--size", String(Number(stdout) - freePages * 4 * KIB), this.#ballast]);
  }

  async free(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await outcome("umount", ["--lazy", this.#path]);
    await rm(this.#path, { recursive: true });
  }

  get #ballast(): string {
    return join(this.#path, "ballast");
  }
}

describe("a full disk under the data directory", () => {
  afterEach(() => disk.free());

  test("makes a create CAPACITY with nothing half made, at whichever step it runs full; the same operation succeeds later", async () => {
    await using site = await Site.open({ machine, dataDirectory: disk.dataDirectory });
    const { connection } = site;
    const ada = await Tenant.settle(site, person, "ada");
    const refused: string[] = [];
    for (const freePages of [0, 1, 2, 3]) {
      const request = asking("bob");
      await disk.fill(freePages);
      const reply = await connection.reply("create-container", request);
      if (!reply.success) {
        expect(reply).toMatchObject({ data: null, error: { code: "CAPACITY", retryable: true } });
        await expectHealed(site, { [ada.username]: "running" });
        refused.push(reply.message);
      }
      await disk.free();
      expect(await connection.succeed("create-container", request)).toMatchObject({ state: "running" });
      await connection.succeed("delete-container", operation(request));
    }
    expect(refused.length).toBeGreaterThan(1);
    for (const message of refused) expect(message).toContain("disk is full");
    await ada.expectAsBefore(site, "running");
    record({ fault: "disk full", runs: 4 });
  });

  test("lets people see, stop, start and delete what they have, and deleting frees it", async () => {
    await using site = await Site.open({ machine, dataDirectory: disk.dataDirectory });
    const { connection } = site;
    const [ada, bob] = [await Tenant.settle(site, person, "ada"), await Tenant.settle(site, person, "bob")];
    await disk.fill(0);
    await ada.expectAsBefore(site, "running");
    for (const command of ["stop-container", "start-container"] as const) {
      const reply = await connection.reply(command, operation(ada));
      if (!reply.success) expect(reply.error.code).toBe("CAPACITY");
      // Whatever it answered is true.
      const { containers } = await connection.succeed("list-containers", { username: ada.username });
      expect(containers).toMatchObject([
        { state: reply.success && command === "stop-container" ? "stopped" : "running" },
      ]);
    }
    await connection.succeed("delete-container", operation(bob));
    await disk.free();
    await expectHealed(site, { [ada.username]: "running" });
    await ada.expectAsBefore(site, "running");
    record({ fault: "disk full", runs: 1 });
  });
});

describe("a clock that jumps", () => {
  test("makes nothing expire: operations are known, commands are served, the heartbeat goes on", async () => {
    using clock = new JumpingClock();
    await using site = await Site.open({ machine, environment: clock.environment });
    const request = asking("cid");
    const created = await site.connection.succeed("create-container", request);
    let removed = asking("dan");
    await site.connection.succeed("create-container", removed);
    await site.connection.succeed("delete-container", operation(removed));
    for (const days of [3, -30, 0]) {
      clock.jumpTo(days);
      expect(await insist(site, "create-container", request)).toMatchObject({ success: true, data: created });
      expect(await insist(site, "create-container", removed)).toMatchObject({ error: { code: "NOT_FOUND" } });
      removed = asking("dan");
      expect(await insist(site, "create-container", removed)).toMatchObject({ success: true });
      expect(await insist(site, "delete-container", operation(removed))).toMatchObject({ success: true });
    }
    clock.jumpTo(-365);
    const connections = site.server.connections.length;
    const beats = site.connection.said.reports("backend-status").length;
    await delay(10_500);
    expect(site.connection.said.reports("backend-status").length).toBeGreaterThan(beats);
    expect(site.server.connections).toHaveLength(connections);
    await expectHealed(site, { [request.username]: "running" });
    record({ fault: "clock jumps", runs: 4 });
  });

  test("over a restart costs nobody anything either", async () => {
    using clock = new JumpingClock();
    await using site = await Site.open({ machine, environment: clock.environment });
    const eve = await Tenant.settle(site, person, "eve");
    const removed = asking("fay");
    await site.connection.succeed("create-container", removed);
    await site.connection.succeed("delete-container", operation(removed));
    for (const days of [-30, 0.5]) {
      clock.jumpTo(days);
      const connection = await site.restart("SIGKILL");
      await connection.refusal("create-container", "NOT_FOUND", removed);
      await eve.expectAsBefore(site, "running");
    }
    await expectHealed(site, { [eve.username]: "running" });
    record({ fault: "clock jumps", runs: 2 });
  });
});
