import { createHash } from "node:crypto";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Ports, type CommandName } from "@dockhost/protocol";
import { writeDurably } from "./durable-file.ts";
import { DockHostError } from "./errors.ts";
import { KEPT_MS, OperationIndex } from "./operation-index.ts";

/** The file is written anew when it holds this many lines of expired successes, and as many as of living ones. */
const EXPIRED_LINES = 1_000;
/** What is read of the file at a time, bytes: more than a line has. */
const PIECE_BYTES = 1_024;
const NEW_LINE = 0x0a;

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

/** Successes that come to disk together. */
interface Batch {
  readonly entries: Entry[];
  readonly written: Promise<void>;
}

/**
 * `operations.log` of the data directory: the successes of the last 24 hours, one JSON line each, on disk before the
 * reply leaves, and read from there when a repeat comes. A clock that jumps while this process runs makes nothing expire.
 */
export class OperationLog implements AsyncDisposable {
  readonly #index = new OperationIndex();
  readonly #underWay = new Map<string, { hash: string; runs: number }>();
  readonly #path: string;
  #file: FileHandle;
  #lines = 0;
  /** Where the next line begins, in bytes. */
  #end = 0;
  /** A write has failed, and may have left half a line. */
  #isTorn = false;
  /** Whose turn has not come yet: what succeeds meanwhile joins it, and waits for the disk no more often. */
  #next: Batch | undefined;
  /** Reads and writes go one after another, so that every line is where the index says. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, entries: readonly Entry[]) {
    this.#path = path;
    this.#file = file;
    for (const entry of entries) this.#note(entry, KEPT_MS - age(entry));
  }

  static async open(dataDirectory: string): Promise<OperationLog> {
    const path = join(dataDirectory, "operations.log");
    const entries = parseEntries(await readFile(path, "utf8").catch(() => "")).filter((entry) => age(entry) < KEPT_MS);
    return new OperationLog(path, await writeAll(path, Buffer.from(entries.map(lineOf).join(""))), entries);
  }

  /** Runs `work`, in which `operationId` means the request of this hash alone. Throws CONFLICT on another one. */
  async exclusively<T>(operationId: string, hash: string, work: () => Promise<T>): Promise<T> {
    // What has succeeded means what its record says, to whoever finds it.
    if (this.has(operationId)) return work();
    const underWay = this.#underWay.get(operationId) ?? { hash, runs: 0 };
    if (underWay.hash !== hash) throw anotherRequest(operationId);
    underWay.runs += 1;
    this.#underWay.set(operationId, underWay);
    try {
      return await work();
    } finally {
      underWay.runs -= 1;
      if (underWay.runs === 0) this.#underWay.delete(operationId);
    }
  }

  /** Whether that operation has had a success. */
  has(operationId: string): boolean {
    return this.#index.offsetOf(operationId) !== undefined;
  }

  /** The success of that operation, if it has had one. Throws CONFLICT where it was another request's. */
  async find(operationId: string, hash: string): Promise<Entry | undefined> {
    // Most are new: those wait for nobody.
    if (!this.has(operationId)) return undefined;
    const entry = await this.#inTurn(() => this.#read(operationId));
    if (entry && entry.requestHash !== hash) throw anotherRequest(operationId);
    return entry;
  }

  /** Resolves when the success is on disk. */
  async record(success: Omit<Entry, "at">): Promise<void> {
    this.#next ??= this.#newBatch();
    this.#next.entries.push({ ...success, at: new Date().toISOString() });
    await this.#next.written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    await this.#file.close();
  }

  #newBatch(): Batch {
    const entries: Entry[] = [];
    const written = this.#inTurn(async () => {
      this.#next = undefined;
      await this.#append(entries.map(lineOf).join(""));
      for (const entry of entries) this.#note(entry, KEPT_MS);
    });
    return { entries, written };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #read(operationId: string): Promise<Entry | undefined> {
    const offset = this.#index.offsetOf(operationId);
    if (offset === undefined) return undefined;
    const [entry] = parseEntries(await lineAt(this.#file, offset));
    if (entry?.operationId === operationId) return entry;
    throw new DockHostError("INTERNAL", `${this.#path} was changed by another hand; restart the backend.`);
  }

  async #append(lines: string): Promise<void> {
    if (this.#isTorn || this.#lines > EXPIRED_LINES + 2 * this.#index.size) await this.#writeAnew();
    this.#isTorn = true;
    await this.#file.appendFile(lines);
    await this.#file.datasync();
    this.#isTorn = false;
  }

  /** The lines of the living, as they are. */
  async #writeAnew(): Promise<void> {
    const { buffer: before } = await this.#file.read(Buffer.alloc(this.#end), 0, this.#end, 0);
    const moved = new Map<number, number>();
    const kept: Buffer[] = [];
    let end = 0;
    for (const offset of this.#index.offsets) {
      const line = before.subarray(offset, before.indexOf(NEW_LINE, offset) + 1);
      kept.push(line);
      moved.set(offset, end);
      end += line.length;
    }
    const file = this.#file;
    this.#file = await writeAll(this.#path, Buffer.concat(kept));
    this.#index.move(moved);
    this.#lines = kept.length;
    this.#end = end;
    await file.close();
  }

  /** The line of `entry` is the last one of the file. */
  #note(entry: Entry, keptMs: number): void {
    this.#index.add(entry.operationId, this.#end, keptMs);
    this.#lines += 1;
    this.#end += Buffer.byteLength(lineOf(entry));
  }
}

const anotherRequest = (operationId: string): DockHostError =>
  new DockHostError(
    "CONFLICT",
    `operationId ${operationId} was used for another request; send a new one with each new request.`,
  );

const age = (entry: Entry): number => Math.max(0, Date.now() - Date.parse(entry.at));

const lineOf = (entry: Entry): string => `${JSON.stringify(entry)}\n`;

/** Answers the file, open for more and for reading. */
async function writeAll(path: string, lines: Buffer): Promise<FileHandle> {
  await writeDurably(path, lines, 0o600);
  return open(path, "a+", 0o600);
}

/** The line that begins at `offset`, as far as it is there. */
async function lineAt(file: FileHandle, offset: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, offset);
  const [line = ""] = buffer.toString("utf8", 0, bytesRead).split("\n", 1);
  return line;
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
