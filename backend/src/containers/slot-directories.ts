import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Limits, Username } from "@dockhost/protocol";
import { allEnded } from "./all-ended.ts";
import { syncDirectory, writeDurably } from "./durable-file.ts";
import type { HostKeyPair } from "./host-key-pair.ts";

/** What a backend remembers of a container that Docker cannot: whose it is, and what is to become of it. */
const Claim = z.object({
  username: Username,
  /** ISO 8601. */
  createdAt: z.string(),
  /** Of the create that made it. */
  operationId: z.string().optional(),
  requestHash: z.string(),
  /** Engine 20.10 leaves a container exited after its own crash in spite of its restart policy. */
  shouldRun: z.boolean(),
  /** When a command stopped it last, ISO 8601; not there once it should run again. */
  stoppedAt: z.string().optional(),
  /** A delete is under way; recovery finishes it. */
  deleting: z.boolean(),
  /** The slot's key directory is mounted, so its keys can change. */
  keysMounted: z.boolean(),
  hostKeyFingerprint: z.string().optional(),
  /** Not of those that an older backend or an older image has made. */
  hostKey: z.string().optional(),
  /** What the create asked for; what made it again in another slot. */
  image: z.string().optional(),
  limits: Limits.optional(),
  /** The image that was committed for this container alone, and goes with it. */
  ownImage: z.string().optional(),
  /** A move from here to another slot is under way, by this image. */
  movingImage: z.string().optional(),
  /** A move from that slot to here is under way. */
  movedFrom: z.string().optional(),
});
export type Claim = z.infer<typeof Claim>;

/**
 * `slots/<slot>/` of the data directory: `claim.json`, `keys/authorized_keys` for sshd, and until it has booted first, its
 * host key. The data directory has one agent at a time, so a claim that was read or written once is known from then on.
 * What a create stands still for and no disk is waited for is done at once: the threads that would do it wait for disks.
 */
export class SlotDirectories {
  readonly #root: string;
  readonly #claims = new Map<string, Claim>();

  constructor(dataDirectory: string) {
    this.#root = join(dataDirectory, "slots");
  }

  /**
   * Makes what a container can be made to mount; `fill` completes it. Readable by sshd's unprivileged helper inside,
   * whatever our umask; the data directory itself is private.
   */
  make(slot: string): void {
    mkdirSync(this.keys(slot), { recursive: true });
    chmodSync(this.keys(slot), 0o755);
  }

  /** Writes the claim and the keys of a slot that was made. Either alone makes it blank no more. */
  async fill(slot: string, claim: Claim, keys: readonly string[]): Promise<void> {
    await allEnded([this.writeClaim(slot, claim), this.writeKeys(slot, keys), syncDirectory(this.#root)]);
  }

  /** Lays out a host key that the image takes for its own at first boot. */
  async giveHostKey(slot: string, { privateFile, publicFile }: HostKeyPair): Promise<void> {
    const file = this.#hostKey(slot);
    await allEnded([writeFile(file, privateFile, { mode: 0o600 }), writeFile(`${file}.pub`, publicFile)]);
  }

  /** It is the container's alone from then on. */
  takeHostKeyBack(slot: string): void {
    const file = this.#hostKey(slot);
    for (const path of [file, `${file}.pub`]) rmSync(path, { force: true });
  }

  /** Whether nothing says yet whose the slot is. */
  async isBlank(slot: string): Promise<boolean> {
    const [entries, keys] = await Promise.all([readdir(join(this.#root, slot)), readdir(this.keys(slot))]);
    return entries.length === 1 && keys.length === 0;
  }

  keys(slot: string): string {
    return join(this.#root, slot, "keys");
  }

  #hostKey(slot: string): string {
    return join(this.keys(slot), "ssh_host_ed25519_key");
  }

  async writeClaim(slot: string, claim: Claim): Promise<void> {
    await writeDurably(join(this.#root, slot, "claim.json"), `${JSON.stringify(claim)}\n`, 0o600);
    this.#claims.set(slot, claim);
  }

  async writeKeys(slot: string, keys: readonly string[]): Promise<void> {
    await writeDurably(join(this.keys(slot), "authorized_keys"), `${keys.join("\n")}\n`, 0o644);
  }

  async readKeys(slot: string): Promise<string[]> {
    const text = await readFile(join(this.keys(slot), "authorized_keys"), "utf8");
    return text.split("\n").filter((key) => key !== "");
  }

  /** Undefined where there is none, or none that can be read. */
  async readClaim(slot: string): Promise<Claim | undefined> {
    const known = this.#claims.get(slot);
    if (known) return known;
    try {
      const claim = Claim.parse(JSON.parse(await readFile(join(this.#root, slot, "claim.json"), "utf8")));
      this.#claims.set(slot, claim);
      return claim;
    } catch {
      return undefined;
    }
  }

  /** The slots that a user's move has to do with; none when no move is under way. */
  moveOf(username: string): { from: string | undefined; to: string | undefined } {
    const claims = [...this.#claims].filter(([, claim]) => claim.username === username);
    return {
      from: claims.find(([, { movingImage }]) => movingImage !== undefined)?.[0],
      to: claims.find(([, { movedFrom }]) => movedFrom !== undefined)?.[0],
    };
  }

  /** Whoever has a container, or is getting one. */
  users(): Set<string> {
    return new Set([...this.#claims.values()].map(({ username }) => username));
  }

  /** The users whose containers are being moved, or were when the agent ended. */
  usersMoving(): string[] {
    const moving = [...this.#claims.values()].filter((claim) => claim.movingImage ?? claim.movedFrom);
    return [...new Set(moving.map(({ username }) => username))];
  }

  /** The images that containers stand on alone, or are about to. */
  claimedImages(): Set<string> {
    const images = [...this.#claims.values()].flatMap(({ ownImage, movingImage }) => [ownImage, movingImage]);
    return new Set(images.filter((image) => image !== undefined));
  }

  /** As it was read or written last, without a look at the disk. */
  knownClaim(slot: string): Claim | undefined {
    return this.#claims.get(slot);
  }

  async remove(slot: string): Promise<void> {
    this.#claims.delete(slot);
    await rm(join(this.#root, slot), { recursive: true, force: true });
  }

  /** Every slot that has a directory. */
  async list(): Promise<string[]> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    return readdir(this.#root);
  }
}
