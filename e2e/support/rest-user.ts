import { Viewer } from "./viewer.ts";

/** Of everybody who signs up in a test. */
export const PASSWORD = "correct horse battery";

export interface Answer {
  status: number;
  body: unknown;
}

/** A person at the REST interface, with a cookie jar of one cookie. */
export class RestUser {
  readonly #url: string;
  #cookie = "";

  constructor(url: string) {
    this.#url = url;
  }

  /** Signs up and is signed in then. */
  static async signUp(url: string, username: string): Promise<RestUser> {
    const user = new RestUser(url);
    const { status } = await user.call("POST", "/api/auth/signup", { username, password: PASSWORD });
    if (status !== 201) throw new Error(`sign-up answered ${status}`);
    return user;
  }

  /** As a browser sends it. */
  get cookie(): string {
    return this.#cookie;
  }

  /** Opens what is streamed at `path`. */
  view(path: string, headers: Record<string, string> = {}): Viewer {
    return new Viewer(this.#url, path, { cookie: this.#cookie, origin: this.#url, ...headers });
  }

  async call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { cookie: this.#cookie, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.#cookie = cookie.split(";", 1)[0] ?? "";
    return { status: response.status, body: await response.json() };
  }
}
