import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./ports.ts";

/** A real image registry (Debian's docker-registry) on loopback, empty at first. */
export class Registry implements AsyncDisposable {
  readonly address: string;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(address: string, folder: string) {
    this.address = address;
    this.#folder = folder;
  }

  static async open(): Promise<Registry> {
    const folder = await mkdtemp(join(tmpdir(), "dockhost-registry-"));
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: { addr: address },
    };
    // JSON is YAML too.
    await writeFile(join(folder, "config.yml"), JSON.stringify(config));
    const registry = new Registry(address, folder);
    await registry.goUp();
    return registry;
  }

  /** With everything that was pushed before. */
  async goUp(): Promise<void> {
    this.#process = spawn("docker-registry", ["serve", join(this.#folder, "config.yml")], { stdio: "ignore" });
    while (!(await answers(Number(this.address.split(":")[1])))) await delay(20);
  }

  async goDown(): Promise<void> {
    if (!this.#process) return;
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goDown();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => finish(true));
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("error", () => finish(false));
  });
}
