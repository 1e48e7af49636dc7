import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { OrderName, Orders } from "./orders.ts";

/** What it measures is not to wait for its own garbage: there is room for a whole load's, and between the loads it is collected. */
const NODE_FLAGS = [
  "--expose-gc",
  "--min-semi-space-size=256",
  "--max-semi-space-size=256",
  "--initial-old-space-size=2048",
];
const ENTRY = fileURLToPath(new URL("driver.ts", import.meta.url));

/** Backends without Docker, all in one process of their own: real Socket.IO clients, and who sends their users' commands. */
export class Fleet implements AsyncDisposable {
  readonly #driver: Child;

  private constructor(driver: Child) {
    this.#driver = driver;
  }

  /** Resolves when all of them are connected. */
  static async connect(url: string, backends: number, logFile: string): Promise<Fleet> {
    const fleet = new Fleet(new Child(ENTRY, logFile, {}, NODE_FLAGS));
    try {
      await fleet.order("connect", { url, backends });
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One after another. */
  async order<Name extends OrderName>(name: Name, request: Orders[Name]["request"]): Promise<Orders[Name]["answer"]> {
    const answered = this.#driver.message();
    this.#driver.tell({ name, request });
    return ((await answered) as { answer: Orders[Name]["answer"] }).answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
  }
}
