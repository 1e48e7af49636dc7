import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory, writeDurably } from "./durable-file.ts";

/** Whether creates are refused; kept as the file `draining` of the data directory, so that a restart does not forget. */
export class Draining {
  readonly #directory: string;
  #on: boolean;

  constructor(dataDirectory: string) {
    this.#directory = dataDirectory;
    this.#on = existsSync(this.#path);
  }

  get on(): boolean {
    return this.#on;
  }

  async set(on: boolean): Promise<void> {
    if (on) {
      await writeDurably(this.#path, "", 0o600);
    } else {
      await rm(this.#path, { force: true });
      await syncDirectory(this.#directory);
    }
    this.#on = on;
  }

  get #path(): string {
    return join(this.#directory, "draining");
  }
}
