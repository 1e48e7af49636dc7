import type { FastifyReply, FastifyRequest } from "fastify";
import { SESSION_DAYS, type Accounts, type User } from "../services/accounts.ts";
import { ServiceError } from "../services/errors.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is signed in, once `requireUser` has let the request through. */
    user: User | null;
  }
}

export const SESSION_COOKIE = "dockhost_session";
const DAY_SECONDS = 86_400;

export interface CookieOptions {
  /** TLS ends before us, at the public address. */
  alwaysSecure: boolean;
}

/** Out of reach of scripts and of other sites' forms; Secure wherever the browser came by TLS. */
export function setSession(request: FastifyRequest, reply: FastifyReply, token: string, options: CookieOptions): void {
  const secure = options.alwaysSecure || request.protocol === "https";
  const scope = { httpOnly: true, sameSite: "lax", path: "/", secure } as const;
  void reply.setCookie(SESSION_COOKIE, token, { ...scope, maxAge: SESSION_DAYS * DAY_SECONDS });
}

export function clearSession(reply: FastifyReply): void {
  void reply.clearCookie(SESSION_COOKIE, { path: "/" });
}

export const sessionOf = (request: FastifyRequest): string | undefined => request.cookies[SESSION_COOKIE];

/** A hook that lets only signed-in users through. */
export function requireUser(accounts: Accounts): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const token = sessionOf(request);
    request.user = (token === undefined ? undefined : await accounts.userOf(token)) ?? null;
    userOf(request);
  };
}

/** A hook that lets only admins through, once `requireUser` has told who they are. */
export function requireAdmin(request: FastifyRequest, _reply: FastifyReply, done: (refusal?: Error) => void): void {
  if (userOf(request).role === "admin") done();
  else done(new ServiceError("FORBIDDEN", "Only an admin may do this."));
}

export function userOf({ user }: FastifyRequest): User {
  if (user) return user;
  throw new ServiceError("UNAUTHENTICATED", "Sign in first.");
}
