import { Agent, request } from "node:http";
import { tokenOf } from "./population.ts";

const MAX_CONNECTIONS = 256;
const PATIENCE_MS = 10_000;

/** Speaks REST as a proxy in front of the main server does: for many users, over connections that it keeps. */
export class RestClient implements Disposable {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves with the answer's text; rejects with words where it is no success. */
  send(method: "GET" | "POST", path: string, username: string): Promise<string> {
    const headers = { cookie: `dockhost_session=${tokenOf(username)}`, "x-forwarded-for": addressOf(username) };
    return new Promise((resolve, reject) => {
      const refuse = (problem: unknown) => reject(new Error(`${method} ${path}: ${String(problem)}`));
      const options = { method, agent: this.#agent, headers, timeout: PATIENCE_MS };
      const sent = request(this.#url + path, options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : refuse(text)));
        response.on("error", refuse);
      });
      sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
      sent.on("error", refuse);
      sent.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Each user has an address of their own, as the limit of requests is by address. */
function addressOf(username: string): string {
  const [, group = 0, slot = 0] = username.split("-").map(Number);
  return `10.${group >> 8}.${group & 255}.${slot + 1}`;
}
