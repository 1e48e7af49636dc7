import { randomUUID } from "node:crypto";
import type { BackendProcess } from "../backend-process.ts";
import type { Attempt, Way } from "./way.ts";

/** Ours: one command over Socket.IO to the real backend, its reply awaited. */
export class DockHost implements Way {
  readonly name = "DockHost";
  readonly #backend: BackendProcess;
  readonly #sshPublicKey: string;

  constructor(backend: BackendProcess, sshPublicKey: string) {
    this.#backend = backend;
    this.#sshPublicKey = sshPublicKey;
  }

  prepare(): Promise<Attempt> {
    const backend = this.#backend;
    const username = newUsername();
    // With an operation's id, as our main server sends it: its record is part of what is measured.
    const request = { username, sshPublicKey: this.#sshPublicKey, operationId: randomUUID() };
    return Promise.resolve({
      create: () => backend.command("create-container", request),
      remove: () => backend.command("delete-container", { username }),
    });
  }
}

export const newUsername = (): string => `bench-${randomUUID()}`;
