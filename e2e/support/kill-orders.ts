import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Failpoint } from "../../backend/src/observe/failpoints.ts";
import type { Environment } from "./backend-process.ts";

const LISTENER = fileURLToPath(new URL("kill-at.mjs", import.meta.url));

export interface KillOrder {
  at: Failpoint;
  /** 1: the first time that the process comes there, counted from when the order is the next one. */
  passing: number;
}

/** Where the backends that live in `environment` are to die by SIGKILL, one order after the other. */
export class KillOrders implements AsyncDisposable {
  readonly environment: Environment;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.environment = { NODE_OPTIONS: `--import=${LISTENER}`, DOCKHOST_TEST_KILL_ORDERS: this.#file };
    this.give([]);
  }

  static async open(): Promise<KillOrders> {
    return new KillOrders(await mkdtemp(join(tmpdir(), "dockhost-kill-")));
  }

  /** In place of what had not been carried out yet. */
  give(orders: readonly KillOrder[]): void {
    writeFileSync(this.#file, orders.map(({ at, passing }) => `${at} ${passing}`).join("\n"));
  }

  /** How many are not carried out yet. */
  get left(): number {
    return readFileSync(this.#file, "utf8").split("\n").filter(Boolean).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, "orders");
  }
}
