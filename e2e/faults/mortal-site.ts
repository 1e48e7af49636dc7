import { setTimeout as delay } from "node:timers/promises";
import type { CommandInput, CommandName, Reply } from "@dockhost/protocol";
import type { BackendConnection } from "../support/backend-connection.ts";
import type { BackendProcess, Environment } from "../support/backend-process.ts";
import { KillOrders, type KillOrder } from "../support/kill-orders.ts";
import { Site } from "../support/site.ts";

/** How long a backend may take to come to where it is to die, and to be seen dead, ms. */
const DEATH_MS = 60_000;

interface Living {
  readonly process: BackendProcess;
  readonly connection: BackendConnection;
}

/** A site whose backends die where they are told to, and are started again as often as that takes. */
export class MortalSite implements AsyncDisposable {
  readonly site: Site;
  /** Where backends have died, as they were told to: `create:named 1`. */
  readonly deaths: string[] = [];
  readonly #orders: KillOrders;
  readonly #dead = new Set<BackendProcess>();
  #living: Promise<Living> | undefined;

  private constructor(site: Site, orders: KillOrders) {
    this.site = site;
    this.#orders = orders;
  }

  static async open(environment: Environment = {}): Promise<MortalSite> {
    const orders = await KillOrders.open();
    // A backend that does not die where it should has to tell where it stands.
    const told = { DEBUG: "dockhost:*", ...orders.environment, ...environment };
    return new MortalSite(await Site.prepare({ environment: told }), orders);
  }

  /** Where its backends die next, one after the other; in place of what had not been carried out yet. */
  order(...orders: readonly KillOrder[]): void {
    this.#orders.give(orders);
  }

  /** The connection of a backend that lives and has recovered. */
  async alive(): Promise<BackendConnection> {
    return (await this.#alive()).connection;
  }

  /** Waits until the backend has died as it was told to; throws where it ends in another way, or not at all. */
  async death(): Promise<void> {
    if (this.#living) await this.#bury((await this.#living).process);
  }

  /** The reply, once a backend lives long enough to give it. */
  async insist<Name extends CommandName>(command: Name, input: CommandInput<Name>): Promise<Reply<Name>> {
    for (;;) {
      const { process, connection } = await this.#alive();
      // The call may fail, or stay without an answer, where the connection ends.
      const reply = connection.reply(command, input).catch(() => undefined);
      const told = await Promise.race([reply, process.ended.then(() => undefined)]);
      if (told) return told;
      await this.#bury(process);
    }
  }

  /** Ends the backend by a SIGKILL from outside. */
  async kill(): Promise<void> {
    const { process } = await this.#alive();
    await process.end("SIGKILL");
    this.#dead.add(process);
    this.#living = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.order();
    await this.site[Symbol.asyncDispose]();
    await this.#orders[Symbol.asyncDispose]();
  }

  #alive(): Promise<Living> {
    this.#living ??= this.#start();
    return this.#living;
  }

  async #start(): Promise<Living> {
    for (;;) {
      const process = this.site.start();
      const connection = await this.site.ready(process).catch(() => undefined);
      if (connection) return { process, connection };
      await this.#note(process);
    }
  }

  async #bury(process: BackendProcess): Promise<void> {
    if (this.#dead.has(process)) return;
    await this.#note(process);
    this.#living = undefined;
  }

  async #note(process: BackendProcess): Promise<void> {
    const end = await Promise.race([process.ended, delay(DEATH_MS, undefined, { ref: false })]);
    if (this.#dead.has(process)) return;
    const [, order] = /^killed at (.+)$/m.exec(process.stderr) ?? [];
    if (end?.signal !== "SIGKILL" || order === undefined) {
      throw new Error(`The backend did not die where it was told to: ${JSON.stringify(end)}\n${process.output}`);
    }
    this.#dead.add(process);
    this.deaths.push(order);
  }
}
