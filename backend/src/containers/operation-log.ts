import { createHash } from "node:crypto";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Ports, type CommandName } from "@dockhost/protocol";
import { writeDurably } from "./durable-file.ts";
import { DockHostError } from "./errors.ts";

/** How long a repeat of a success executes nothing, ms. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** The file is written anew when it holds this many lines of expired successes, and as many as of living ones. */
const EXPIRED_LINES = 1_000;

const Entry = z.object({
  operationId: z.string(),
  command: z.string(),
  requestHash: z.string(),
  /** ISO 8601. */
  at: z.string(),
  containerId: z.string().nullable(),
  /** Of that container: it keeps it where it moves and gets another id, and no later one of its user has it. */
  createdAt: z.string().optional(),
  ports: Ports.nullable(),
});
export type Entry = z.infer<typeof Entry>;

/** What tells one request from another: the command and everything in it but the operation's id. */
export function requestHash(command: CommandName, request: { operationId?: string | undefined }): string {
  const body = { ...request, operationId: undefined };
  return createHash("sha256")
    .update(JSON.stringify([command, body]))
    .digest("base64url");
}

/**
 * `operations.log` of the data directory: the successes of the last 24 hours, one JSON line each, on disk before the
 * reply leaves. A clock that jumps while this process runs makes nothing expire.
 */
export class OperationLog implements AsyncDisposable {
  readonly #entries = new Map<string, { entry: Entry; expiresAt: number }>();
  readonly #underWay = new Map<string, { hash: string; runs: number }>();
  readonly #path: string;
  #file: FileHandle;
  #lines: number;
  /** A write has failed, and may have left half a line. */
  #isTorn = false;
  #writes: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle, entries: readonly Entry[]) {
    this.#path = path;
    this.#file = file;
    this.#lines = entries.length;
    for (const entry of entries) this.#remember(entry, KEPT_MS - age(entry));
  }

  static async open(dataDirectory: string): Promise<OperationLog> {
    const path = join(dataDirectory, "operations.log");
    const entries = parseEntries(await readFile(path, "utf8").catch(() => "")).filter((entry) => age(entry) < KEPT_MS);
    return new OperationLog(path, await writeAll(path, entries), entries);
  }

  /** Runs `work`, in which `operationId` means the request of this hash alone. Throws CONFLICT on another one. */
  async exclusively<T>(operationId: string, hash: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(operationId) ?? { hash, runs: 0 };
    const hashBefore = this.find(operationId)?.requestHash ?? underWay.hash;
    if (hashBefore !== hash) {
      throw new DockHostError(
        "CONFLICT",
        `operationId ${operationId} was used for another request; send a new one with each new request.`,
      );
    }
    underWay.runs += 1;
    this.#underWay.set(operationId, underWay);
    try {
      return await work();
    } finally {
      underWay.runs -= 1;
      if (underWay.runs === 0) this.#underWay.delete(operationId);
    }
  }

  /** The success of that operation, if it has had one. */
  find(operationId: string): Entry | undefined {
    const found = this.#entries.get(operationId);
    return found && found.expiresAt > performance.now() ? found.entry : undefined;
  }

  /** Resolves when the success is on disk. */
  async record(success: Omit<Entry, "at">): Promise<void> {
    const entry = { ...success, at: new Date().toISOString() };
    const write = this.#writes.then(() => this.#append(entry));
    this.#writes = write.catch(() => undefined);
    await write;
    this.#remember(entry, KEPT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writes;
    await this.#file.close();
  }

  async #append(entry: Entry): Promise<void> {
    if (this.#isTorn || this.#lines > EXPIRED_LINES + 2 * this.#entries.size) await this.#writeAnew();
    this.#isTorn = true;
    await this.#file.appendFile(lineOf(entry));
    await this.#file.datasync();
    this.#isTorn = false;
    this.#lines += 1;
  }

  async #writeAnew(): Promise<void> {
    const entries = [...this.#entries.values()].map(({ entry }) => entry);
    const before = this.#file;
    this.#file = await writeAll(this.#path, entries);
    this.#lines = entries.length;
    await before.close();
  }

  #remember(entry: Entry, forMs: number): void {
    const now = performance.now();
    this.#entries.set(entry.operationId, { entry, expiresAt: now + forMs });
    // In the order of their recording, so the expired ones stand first.
    for (const [operationId, { expiresAt }] of this.#entries) {
      if (expiresAt > now) break;
      this.#entries.delete(operationId);
    }
  }
}

const age = (entry: Entry): number => Math.max(0, Date.now() - Date.parse(entry.at));

const lineOf = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

/** Answers the file, open for more. */
async function writeAll(path: string, entries: readonly Entry[]): Promise<FileHandle> {
  await writeDurably(path, entries.map(lineOf).join(""), 0o600);
  return open(path, "a", 0o600);
}

/** A line that a crash cut short is passed over: its reply never left. */
function parseEntries(text: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    try {
      return [Entry.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
