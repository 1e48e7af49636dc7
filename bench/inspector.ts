import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

/** What makes Node listen for an inspector, at a port of its own choice. */
export const INSPECTED = ["--inspect=127.0.0.1:0"];

const PATIENCE_MS = 5_000;
const LOOK_MS = 20;

interface Answer {
  id?: number;
  result?: { result?: { value?: unknown } };
  error?: { message: string };
}

/**
 * Looks into a Node process from outside by the inspector's protocol, so that production code has nothing for it:
 * https://chromedevtools.github.io/devtools-protocol/v8/
 */
export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Settling>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#answered(JSON.parse(data.toString()) as Answer));
    socket.on("close", () => this.#fail(new Error("The inspector has closed its connection.")));
  }

  /** Finds the process by what it wrote to its log when it began to listen. */
  static async attach(logFile: string): Promise<Inspector> {
    const socket = new WebSocket(await addressIn(logFile));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return new Inspector(socket);
  }

  /** What is still in use after garbage has been collected, MiB: objects, and memory that they hold outside the heap. */
  async heapMiB(): Promise<number> {
    // What a first collection finalizes, a second one frees.
    await this.#call("HeapProfiler.collectGarbage");
    await this.#call("HeapProfiler.collectGarbage");
    const expression = "(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())";
    const { result } = await this.#call("Runtime.evaluate", { expression, returnByValue: true });
    return Number(result?.value) / 1024 ** 2;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #call(method: string, params: object = {}): Promise<NonNullable<Answer["result"]>> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #answered({ id = 0, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

interface Settling {
  resolve: (result: NonNullable<Answer["result"]>) => void;
  reject: (error: Error) => void;
}

async function addressIn(logFile: string): Promise<string> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const said = [...(await readFile(logFile, "utf8")).matchAll(/Debugger listening on (ws:\S+)/g)];
    const address = said.at(-1)?.[1];
    if (address !== undefined) return address;
    await delay(LOOK_MS);
  }
  throw new Error(`The backend's inspector did not begin to listen; see ${logFile}.`);
}
