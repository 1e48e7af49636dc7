import { randomUUID } from "node:crypto";
import type { AuditAction, AuditEntry } from "@dockhost/protocol/rest";
import type { Log } from "../observe/log.ts";
import type { AuditRecord } from "../store/audit-store.ts";
import type { Store } from "../store/store.ts";
import type { User } from "./accounts.ts";
import { nameOf } from "./subject-name.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";

/** Entries that come within it are written together, ms. */
const GATHER_MS = 100;
const KEPT_MS = 90 * 86_400_000;
const KEPT_AT_MOST = 100_000;
/** After so many entries, and each hour, what is too old or too much is removed. */
const PRUNE_EVERY = 1_000;
const PRUNE_MS = 3_600_000;
/** What somebody asked for may be any text; a backend's sentence may hold the end of a log. */
const SUBJECT_MAX = 64;
const DETAIL_MAX = 500;

/** Of what one user or address did not bring about, in a minute: nobody drives what was done off the record. */
const NOT_DONE_MAX = 60;
const MINUTE_MS = 60_000;

/** What somebody did or tried. Nothing of it is secret: no token, no key, no password. */
export interface Act extends Pick<AuditEntry, "action" | "subject" | "outcome" | "detail" | "address"> {
  /** Undefined where it is nobody's account. */
  user: Pick<User, "id" | "username"> | undefined;
  /** Of what is gone by it; of what is still there it is looked up. */
  subjectName?: string | undefined;
}

export interface AuditQuery extends PageQuery {
  /** A username. */
  user?: string | undefined;
  action?: AuditAction | undefined;
}

/**
 * What was done or tried, by whom and from where. To write it down keeps nobody waiting and fails nothing: entries are
 * gathered for a moment and made durable together, so that a thousand acts at once do not cost a thousand syncs.
 */
export class Audit implements AsyncDisposable {
  readonly #store: Store;
  readonly #log: Log;
  readonly #timers: readonly NodeJS.Timeout[];
  /** By user or address. */
  readonly #notDone = new Map<string | null, number>();
  #gathered: Promise<AuditRecord>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #sincePruned = PRUNE_EVERY;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    const forgetting = setInterval(() => this.#notDone.clear(), MINUTE_MS).unref();
    this.#timers = [setInterval(() => void this.#prune(), PRUNE_MS).unref(), forgetting];
  }

  /** Once everything is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#write();
  }

  record({ user, subject, detail, ...act }: Act): void {
    if (act.outcome !== "done" && this.#isTooMuch(user?.id ?? act.address)) return;
    const who = { userId: user?.id ?? null, username: user?.username ?? null };
    const times = { id: randomUUID(), createdAt: new Date().toISOString() };
    const told = { subject: subject?.slice(0, SUBJECT_MAX) ?? null, detail: detail?.slice(0, DETAIL_MAX) ?? null };
    const entry = { ...times, ...who, ...act, ...told, subjectName: act.subjectName ?? null };
    // At once: in a moment it may be gone.
    this.#gathered.push(this.#named(entry));
    this.#timer ??= setTimeout(() => void this.#write(), GATHER_MS);
  }

  /** Newest first: of everybody for an admin, of themselves for everyone else. */
  async list(reader: User, { user: username, action, ...query }: AuditQuery): Promise<Page<AuditEntry>> {
    await this.#write();
    const whose = await this.#whose(reader, username);
    if (whose === "nobody") return { items: [], nextCursor: null };
    const userId = whose === "everybody" ? undefined : whose.id;
    const name = `audit of ${userId ?? "everybody"} for ${reader.id}: ${action ?? "any"}`;
    const { items, nextCursor } = await readPage(name, query, (limit, after) =>
      this.#store.audit.page({ userId, action }, limit, after),
    );
    return { items: items.map(toEntry), nextCursor };
  }

  #isTooMuch(who: string | null): boolean {
    const times = (this.#notDone.get(who) ?? 0) + 1;
    this.#notDone.set(who, times);
    return times > NOT_DONE_MAX;
  }

  async #whose(reader: User, username: string | undefined): Promise<Pick<User, "id"> | "everybody" | "nobody"> {
    if (username === undefined) return reader.role === "admin" ? "everybody" : reader;
    const asked = (await this.#store.accounts.withPasswordHash(username))?.user;
    return asked && (reader.role === "admin" || asked.id === reader.id) ? asked : "nobody";
  }

  #write(): Promise<unknown> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#gathered.splice(0);
    const written = [this.#writeDown(entries)];
    this.#sincePruned += entries.length;
    if (this.#sincePruned > PRUNE_EVERY) written.push(this.#prune());
    return (this.#underWay = Promise.all([this.#underWay, ...written]));
  }

  /** All in one turn of the loop, and so with one sync of the disk. */
  async #writeDown(named: readonly Promise<AuditRecord>[]): Promise<void> {
    const entries = await Promise.all(named);
    await Promise.all(entries.map((entry) => this.#add(entry)));
  }

  async #add(entry: AuditRecord): Promise<void> {
    try {
      await this.#store.audit.add(entry);
    } catch (error) {
      this.#log.error({ err: error, entry }, "What was done could not be put on record.");
    }
  }

  /** A name tells that there is something: so none of what somebody was refused. */
  async #named(entry: AuditRecord): Promise<AuditRecord> {
    const { action, subject, subjectName, outcome } = entry;
    if (subjectName !== null || subject === null || outcome === "refused") return entry;
    return { ...entry, subjectName: await nameOf(this.#store, action, subject).catch(() => null) };
  }

  async #prune(): Promise<void> {
    this.#sincePruned = 0;
    try {
      await this.#store.audit.prune(new Date(Date.now() - KEPT_MS), KEPT_AT_MOST);
    } catch (error) {
      this.#log.error({ err: error }, "Old entries of the audit log could not be removed.");
    }
  }
}

const toEntry = ({ id, createdAt, username, action, ...told }: AuditRecord): AuditEntry => ({
  ...{ id, at: createdAt, username, action },
  ...{ subject: told.subject, subjectName: told.subjectName },
  ...{ outcome: told.outcome, detail: told.detail, address: told.address },
});
