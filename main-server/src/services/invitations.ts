import { randomBytes } from "node:crypto";
import type { Invitation, NewInvitation as Stored } from "../store/invitations-store.ts";
import type { Store } from "../store/store.ts";
import type { User } from "./accounts.ts";
import { sha256 } from "./api-key.ts";
import { ServiceError } from "./errors.ts";
import { readPage, type Page, type PageQuery } from "./paging.ts";

const LIFE_MS = 7 * 86_400_000;

export interface NewInvitation extends Pick<Stored, "role"> {
  /** By which the admins know it. */
  note?: string | undefined;
}

/** By which accounts are made one by one, each with its role, also where sign-up is closed. */
export class Invitations {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The token is told here alone: the store has no more than its hash. */
  async create(user: User, { role, note }: NewInvitation): Promise<{ invitation: Invitation; token: string }> {
    const { invitations } = this.#store;
    const token = randomBytes(32).toString("base64url");
    const expiresAt = new Date(Date.now() + LIFE_MS);
    await invitations.removeExpired();
    const invitation = await invitations.add({
      ...{ tokenHash: sha256(token), role, note: note ?? null },
      ...{ userId: user.id, createdBy: user.username, expiresAt },
    });
    return { invitation, token };
  }

  /** Those that can still be used, newest first. */
  async list(query: PageQuery): Promise<Page<Invitation>> {
    return readPage("invitations", query, (limit, after) => this.#store.invitations.page(limit, after));
  }

  async revoke(id: string): Promise<void> {
    if (await this.#store.invitations.remove(id)) return;
    throw new ServiceError("NOT_FOUND", "There is no such invitation.");
  }
}
