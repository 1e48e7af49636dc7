import { statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { ADMISSION_FLOOR } from "@dockhost/protocol";
import { DockHostError } from "./errors.ts";

const MIB = 1024 * 1024;
/** So many times the floors have to be free for what can wait. */
const PLENTY = 2;
/** What one instance is reckoned to need of a processor. */
const CPUS_PER_CONTAINER = 0.5;

/** Reads what the machine has left. */
export interface HostResources {
  memoryAvailableMiB(): number;
  disk(): Promise<DiskSpace>;
}

/** Of the file system that containers are on. */
export interface DiskSpace {
  freeMiB: number;
  /** Without what is root's alone: of it, what is free is free to be used. */
  totalMiB: number;
}

/** This machine. */
export class ThisHost implements HostResources {
  readonly #dataDirectory: string;
  /** Where the Engine keeps containers, once it has told. */
  engineDirectory: string | undefined;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  /** As the kernel estimates it: free, or given back when asked for. */
  memoryAvailableMiB(): number {
    return Math.floor(freemem() / MIB);
  }

  async disk(): Promise<DiskSpace> {
    // An agent that is not root may not look into the Engine's directory.
    const found = await statfs(this.engineDirectory ?? this.#dataDirectory).catch(() => statfs(this.#dataDirectory));
    const { blocks, bfree, bavail, bsize } = found;
    const mebibytes = (count: number): number => Math.floor((count * bsize) / MIB);
    return { freeMiB: mebibytes(bavail), totalMiB: mebibytes(blocks - bfree + bavail) };
  }
}

/** Throws CAPACITY, saying which ceiling, where one container more would pass it. */
export async function admit(containers: number, maxContainers: number, host: HostResources): Promise<void> {
  if (containers >= maxContainers) {
    throw full(`it holds ${containers} of at most ${maxContainers} containers (DOCKHOST_MAX_CONTAINERS)`);
  }
  const memory = host.memoryAvailableMiB();
  const { memoryMiB, diskMiB } = ADMISSION_FLOOR;
  if (memory < memoryMiB) throw full(`${memory} MiB of memory are available, ${memoryMiB} are needed`);
  const { freeMiB } = await host.disk();
  if (freeMiB < diskMiB) throw full(`${freeMiB} MiB of disk are free, ${diskMiB} are needed`);
}

/** Whether there is so much of everything that a container may be made which nobody has asked for. */
export async function hasPlenty(host: HostResources): Promise<boolean> {
  const { memoryMiB, diskMiB } = ADMISSION_FLOOR;
  return host.memoryAvailableMiB() >= PLENTY * memoryMiB && (await host.disk()).freeMiB >= PLENTY * diskMiB;
}

const full = (why: string): DockHostError =>
  new DockHostError("CAPACITY", `This backend takes no further container: ${why}; use another backend or free some.`);

/** How many containers the machine serves well: an estimate for placement, never a reason to refuse. */
export function comfortableContainers(
  machine: { cpus: number; memoryMiB: number },
  memoryLimitMiB: number,
  maxContainers: number,
): number {
  const byCpu = Math.floor(machine.cpus / CPUS_PER_CONTAINER);
  const byMemory = Math.floor(machine.memoryMiB / memoryLimitMiB);
  return Math.max(0, Math.min(maxContainers, byCpu, byMemory));
}
