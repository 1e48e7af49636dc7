import { failures, SignIn, SignUp, SignupReply, UserReply } from "@dockhost/protocol/rest";
import type { FastifyRequest } from "fastify";
import * as z from "zod";
import type { Accounts, Client, Credentials, Session } from "../services/accounts.ts";
import { ServiceError } from "../services/errors.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";
import { clearSession, requireUser, sessionOf, setSession, userOf, type CookieOptions } from "./sessions.ts";

/** For each address, in a minute. */
export interface AuthLimits {
  readonly signUps: number;
  readonly signIns: number;
  readonly failedSignIns: number;
}

export interface AuthOptions {
  accounts: Accounts;
  cookie: CookieOptions;
  limits: AuthLimits;
}

const tags = ["auth"];
const timeWindow = 60_000;
const USER_AGENT_MAX = 256;

export function authRoutes(app: App, { accounts, cookie, limits }: AuthOptions): void {
  const signIn = guardedSignIn(app, accounts, limits.failedSignIns);

  app.route({
    method: "GET",
    url: "/api/auth/signup",
    schema: { tags, summary: "Who may make an account", response: { 200: SignupReply, ...failures } },
    handler: () => accounts.signupPolicy(),
  });

  app.route({
    method: "POST",
    url: "/api/auth/signup",
    config: { rateLimit: { max: limits.signUps, timeWindow }, audit: "account.signed-up" },
    schema: { tags, summary: "Make an account, and sign in", body: SignUp, response: { 201: UserReply, ...failures } },
    handler: async (request, reply) => {
      const session = await accounts.signUp(request.body, request.body.token, clientOf(request));
      remark(request, { user: session.user });
      setSession(request, reply, session.token, cookie);
      return reply.code(201).send({ user: session.user });
    },
  });

  app.route({
    method: "POST",
    url: "/api/auth/signin",
    config: {
      rateLimit: { max: limits.signIns, timeWindow },
      audit: (_request, done) => (done ? "account.signed-in" : "account.sign-in-failed"),
    },
    schema: { tags, summary: "Sign in", body: SignIn, response: { 200: UserReply, ...failures } },
    handler: async (request, reply) => {
      const session = await signIn(request, request.body);
      const former = sessionOf(request);
      if (former !== undefined) await accounts.signOut(former);
      remark(request, { user: session.user });
      setSession(request, reply, session.token, cookie);
      return { user: session.user };
    },
  });

  app.route({
    method: "POST",
    url: "/api/auth/signout",
    config: { audit: "account.signed-out" },
    schema: { tags, summary: "Sign out", response: { 200: z.object({}), ...failures } },
    handler: async (request, reply) => {
      const token = sessionOf(request);
      if (token !== undefined) {
        remark(request, { user: await accounts.userOf(token) });
        await accounts.signOut(token);
      }
      clearSession(reply);
      return {};
    },
  });

  app.route({
    method: "GET",
    url: "/api/auth/me",
    onRequest: requireUser(accounts),
    schema: { tags, summary: "Who is signed in", response: { 200: UserReply, ...failures } },
    handler: (request) => ({ user: userOf(request) }),
  });
}

const clientOf = ({ ip, headers }: FastifyRequest): Client => ({
  address: ip,
  userAgent: headers["user-agent"]?.slice(0, USER_AGENT_MAX) ?? null,
});

/** Failures have a limit of their own, narrower than that of all attempts. */
function guardedSignIn(app: App, accounts: Accounts, failedSignIns: number) {
  const failed = app.createRateLimit({ max: failedSignIns, timeWindow });
  return async (request: FastifyRequest, credentials: Credentials): Promise<Session> => {
    const soFar = await failed(request, { increment: false });
    if (!soFar.isAllowed && soFar.remaining === 0) {
      throw new ServiceError("RATE_LIMITED", "Too many failed sign-ins from your address; try again in a minute.");
    }
    try {
      return await accounts.signIn(credentials, clientOf(request));
    } catch (error) {
      // Of an account alone: what else was typed there may be a password.
      remark(request, { user: await accounts.named(credentials.username) });
      await failed(request);
      throw error;
    }
  };
}
