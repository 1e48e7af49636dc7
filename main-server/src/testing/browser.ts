import type { Role } from "@dockhost/protocol/rest";
import * as z from "zod";

export interface Answer {
  status: number;
  /** Parsed from JSON, or null. */
  body: unknown;
  headers: Headers;
  /** `error.code`, of a failure. */
  code: string | undefined;
}

const Failure = z.object({ error: z.object({ code: z.string(), message: z.string().min(1) }) });

/** Speaks HTTP as a browser does: with a cookie jar. */
export class Browser {
  readonly url: string;
  readonly headers: Record<string, string> = {};

  constructor(url: string) {
    this.url = url;
  }

  get = (path: string, headers?: Record<string, string>) => this.#send("GET", path, undefined, headers);
  post = (path: string, body?: unknown, headers?: Record<string, string>) => this.#send("POST", path, body, headers);
  put = (path: string, body: unknown) => this.#send("PUT", path, body);
  delete = (path: string) => this.#send("DELETE", path, undefined);

  async #send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const init = { method, headers: { ...json, ...this.headers, ...headers }, redirect: "manual" } as const;
    const response = await fetch(this.url + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    this.#keepCookie(response.headers.getSetCookie());
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    const parsed: unknown = isJson ? JSON.parse(text) : null;
    const code = Failure.safeParse(parsed).data?.error.code;
    return { status: response.status, headers: response.headers, body: parsed, code };
  }

  #keepCookie(cookies: readonly string[]): void {
    const [pair] = cookies[0]?.split(";") ?? [];
    if (pair !== undefined) this.headers.cookie = pair;
  }
}

export const PASSWORD = "correct horse battery staple";

/** A browser whose user has just signed up. */
export async function signedUp(url: string, username: string): Promise<Browser> {
  const browser = new Browser(url);
  const { status } = await browser.post("/api/auth/signup", { username, password: PASSWORD });
  if (status !== 201) throw new Error(`Sign-up answered ${status}.`);
  return browser;
}

/** Another browser of a user who has an account. */
export async function signedIn(url: string, username: string, password = PASSWORD): Promise<Browser> {
  const browser = new Browser(url);
  const { status } = await browser.post("/api/auth/signin", { username, password });
  if (status !== 200) throw new Error(`Sign-in answered ${status}.`);
  return browser;
}

const CreatedInvitation = z.object({ invitation: z.object({ id: z.string() }), token: z.string() });

/** What `admin` has made; its token signs up. */
export async function invite(admin: Browser, role: Role): Promise<{ id: string; token: string }> {
  const { invitation, token } = CreatedInvitation.parse((await admin.post("/api/invitations", { role })).body);
  return { id: invitation.id, token };
}

/** A browser whose user has just signed up by an invitation of `admin`. */
export async function invited(admin: Browser, username: string, role: Role): Promise<Browser> {
  const browser = new Browser(admin.url);
  const { token } = await invite(admin, role);
  const { status } = await browser.post("/api/auth/signup", { username, password: PASSWORD, token });
  if (status !== 201) throw new Error(`Sign-up answered ${status}.`);
  return browser;
}

const CreatedBackend = z.object({ backend: z.object({ id: z.string() }), apiKey: z.string() });

/** A backend of this user's own, and its key. */
export async function addBackend(browser: Browser, name = "mine"): Promise<{ id: string; apiKey: string }> {
  const { body } = await browser.post("/api/backends", { name });
  const { backend, apiKey } = CreatedBackend.parse(body);
  return { id: backend.id, apiKey };
}
