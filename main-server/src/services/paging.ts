import { createHash } from "node:crypto";
import * as z from "zod";
import type { Position } from "../store/position.ts";
import { ServiceError } from "./errors.ts";

/** What a caller asks of a list. */
export interface PageQuery {
  /** At most so many. */
  limit: number;
  /** Where the page before this one ended. */
  cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  /** Where the next page begins; null on the last one. */
  nextCursor: string | null;
}

type Read<Item> = (limit: number, after: Position | undefined) => Promise<Item[]>;

const Cursor = z.tuple([z.iso.datetime(), z.uuid(), z.string()]);

/** A list that is told in pages, in the store's order. A cursor of it serves nowhere else: not in another list, nor for another user. */
export async function readPage<Item extends Position>(
  list: string,
  { limit, cursor }: PageQuery,
  read: Read<Item>,
): Promise<Page<Item>> {
  const found = await read(limit + 1, cursor === undefined ? undefined : positionOf(list, cursor));
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last ? cursorAt(list, last) : null };
}

function cursorAt(list: string, { createdAt, id }: Position): string {
  return Buffer.from(JSON.stringify([createdAt, id, markOf(list, createdAt, id)])).toString("base64url");
}

function positionOf(list: string, cursor: string): Position {
  const parsed = Cursor.safeParse(jsonIn(Buffer.from(cursor, "base64url").toString()));
  const [createdAt = "", id = "", mark] = parsed.data ?? [];
  if (mark === markOf(list, createdAt, id)) return { createdAt, id };
  throw new ServiceError("INVALID_ARGUMENT", "The cursor is not one that this list gave.");
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Tells cursors that went astray; it guards nothing, as every list is read with its caller's rights alone. */
const markOf = (...parts: string[]) => createHash("sha256").update(parts.join("\n")).digest("base64url").slice(0, 12);
