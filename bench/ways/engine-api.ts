import { Agent, request } from "node:http";

/** An Engine's answer that is no success. */
class EngineApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The Engine API with nothing between: JSON over one kept-alive connection for each call under way. */
export class EngineApi implements Disposable {
  readonly #agent: Agent;
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
    this.#agent = new Agent({ keepAlive: true });
  }

  /** Answers the parsed body; undefined where there is none. Throws EngineApiError. */
  call<T>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      sent === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(sent) };
    return new Promise((resolve, reject) => {
      const asking = request(
        { socketPath: this.#socketPath, agent: this.#agent, method, path, headers },
        (response) => {
          const pieces: Buffer[] = [];
          response.on("data", (piece: Buffer) => pieces.push(piece));
          response.once("error", reject);
          response.once("end", () => {
            const text = Buffer.concat(pieces).toString();
            const { statusCode = 0 } = response;
            if (statusCode >= 400)
              reject(new EngineApiError(statusCode, `${method} ${path}: ${statusCode} ${text.trim()}`));
            else resolve((text === "" ? undefined : JSON.parse(text)) as T);
          });
        },
      );
      asking.once("error", reject);
      asking.end(sent);
    });
  }

  /** Containers in any state that bear all of `labels`. */
  list(labels: readonly string[]): Promise<{ Id: string; Names: string[] }[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: labels }));
    return this.call("GET", `/containers/json?all=1&filters=${filters}`);
  }

  /** Already gone is success. */
  async remove(id: string): Promise<void> {
    try {
      await this.call("DELETE", `/containers/${id}?force=1&v=1`);
    } catch (error) {
      if (!(error instanceof EngineApiError && error.status === 404)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
