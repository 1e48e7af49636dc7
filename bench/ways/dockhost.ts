import { randomUUID } from "node:crypto";
import type { Limits } from "../../protocol/src/index.ts";
import type { BackendProcess } from "../backend-process.ts";
import { OURS } from "../titles.ts";
import { sshBanner } from "./ssh-banner.ts";
import type { Attempt, Way } from "./way.ts";

interface Wish {
  name?: string;
  limits?: Limits;
  /** Reads the banner once more after the reply, which means that SSH has answered, in the time that is measured. */
  seeingBanner?: boolean;
}

/** Ours: one command over Socket.IO to the real backend, its reply awaited. */
export class DockHost implements Way {
  readonly name: string;
  readonly #backend: BackendProcess;
  readonly #sshPublicKey: string;
  readonly #wish: Wish;

  constructor(backend: BackendProcess, sshPublicKey: string, wish: Wish = {}) {
    this.name = wish.name ?? OURS;
    this.#backend = backend;
    this.#sshPublicKey = sshPublicKey;
    this.#wish = wish;
  }

  prepare(): Promise<Attempt> {
    const backend = this.#backend;
    const { limits, seeingBanner } = this.#wish;
    const username = newUsername();
    // With an operation's id, as our main server sends it: its record is part of what is measured.
    const request = { username, sshPublicKey: this.#sshPublicKey, operationId: randomUUID(), limits };
    return Promise.resolve({
      create: async () => {
        const { ports } = await backend.command("create-container", request);
        if (seeingBanner) await sshBanner(ports.ssh);
      },
      remove: () => backend.command("delete-container", { username }),
    });
  }
}

export const newUsername = (): string => `bench-${randomUUID()}`;
