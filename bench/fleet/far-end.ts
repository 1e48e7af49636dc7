import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";

const MAIN_SERVER = fileURLToPath(new URL("../../main-server/dist/main-server.js", import.meta.url));
const ECHO_SERVER = fileURLToPath(new URL("echo-server.ts", import.meta.url));

/** As docs/operations.md tells whoever has many backends. */
const FOR_MANY_BACKENDS = ["--min-semi-space-size=32", "--max-semi-space-size=32"];

/** What a fleet dials: a process that is told to listen and says where it does. */
export class FarEnd implements AsyncDisposable {
  readonly url: string;
  readonly #child: Child;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** The main server as it is shipped, behind a proxy: who sends commands says for whom. Port 0 is any that is free. */
  static mainServer(dataDir: string, logFile: string, port = 0): Promise<FarEnd> {
    const environment = {
      DOCKHOST_DATA_DIR: dataDir,
      DOCKHOST_LISTEN: `127.0.0.1:${port}`,
      DOCKHOST_TRUST_PROXY: "true",
      LOG_FORMAT: "json",
    };
    return FarEnd.#start(MAIN_SERVER, logFile, environment, FOR_MANY_BACKENDS);
  }

  /** A bare Socket.IO server that only hands commands and replies on. */
  static echo(backends: number, logFile: string): Promise<FarEnd> {
    return FarEnd.#start(ECHO_SERVER, logFile, { BACKENDS: `${backends}` });
  }

  static async #start(
    entry: string,
    logFile: string,
    environment: Record<string, string>,
    nodeFlags: readonly string[] = [],
  ): Promise<FarEnd> {
    const child = new Child(entry, logFile, environment, nodeFlags);
    const { urls } = (await child.message()) as { urls: [string] };
    return new FarEnd(child, urls[0]);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  residentKiB(): Promise<number> {
    return this.#child.residentKiB();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
