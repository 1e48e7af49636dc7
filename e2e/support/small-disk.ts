import { mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outcome } from "./docker-cli.ts";
import { leftovers, nameOfOwn } from "./ownership.ts";

const FORM = "dockhost-disk";

/** A filesystem of its own in a sparse file: what fills it fills nothing else. It needs root. */
export class SmallDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, "mounted");
  }

  /** Removes first what a test left that was cut off. */
  static async open(type: "ext4" | "btrfs", sizeMiB: number): Promise<SmallDisk> {
    for (const name of await leftovers(FORM, await readdir(tmpdir()))) await remove(join(tmpdir(), name));
    const disk = new SmallDisk(join(tmpdir(), nameOfOwn(FORM)));
    await mkdir(disk.path, { recursive: true });
    const file = join(disk.#folder, "disk");
    try {
      await writeFile(file, "");
      await truncate(file, sizeMiB * 1024 * 1024);
      await succeed(`mkfs.${type}`, "-q", file);
      await succeed("mount", "-t", type, "-o", "loop", file, disk.path);
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
    return disk;
  }

  /**
   * Where it is btrfs: Linux from 6.12 on may lose count of everybody's quota when it drops a deleted container's
   * subvolume ("qgroup marked inconsistent"), and then stops nobody until it has counted anew.
   */
  async countQuotasAnew(): Promise<void> {
    await succeed("btrfs", "filesystem", "sync", this.path);
    await succeed("btrfs", "subvolume", "sync", this.path);
    await succeed("btrfs", "quota", "rescan", "-w", this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.#folder);
  }
}

async function succeed(program: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await outcome(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}`);
}

async function remove(folder: string): Promise<void> {
  await outcome("umount", ["--lazy", join(folder, "mounted")]);
  await rm(folder, { recursive: true, force: true });
}
