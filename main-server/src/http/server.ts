import fastifyCookie from "@fastify/cookie";
import fastifyHelmet from "@fastify/helmet";
import fastifyRateLimit from "@fastify/rate-limit";
import { fastify, LogController, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Log } from "../observe/log.ts";
import type { OriginRule } from "../origin.ts";
import type { Accounts } from "../services/accounts.ts";
import type { Audit } from "../services/audit.ts";
import type { Backends } from "../services/backends.ts";
import { ServiceError } from "../services/errors.ts";
import type { Instances } from "../services/instances.ts";
import type { Invitations } from "../services/invitations.ts";
import type { News } from "../services/news.ts";
import type { SavedKeys } from "../services/saved-keys.ts";
import type { Users } from "../services/users.ts";
import type { App } from "./app.ts";
import { auditRequests } from "./audit-hook.ts";
import { auditRoute } from "./audit-route.ts";
import { authRoutes, type AuthLimits } from "./auth-routes.ts";
import { backendRoutes } from "./backend-routes.ts";
import { registerDocs } from "./docs.ts";
import { replyNotFound, replyWithError } from "./error-replies.ts";
import { healthRoute } from "./health-route.ts";
import { instanceRoutes } from "./instance-routes.ts";
import { invitationRoutes } from "./invitation-routes.ts";
import { newsRoute } from "./news-route.ts";
import { pageRoutes } from "./page.ts";
import { ANSWER_POLICY, PERMISSIONS_POLICY } from "./policies.ts";
import { savedKeyRoutes } from "./saved-key-routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { requireAdmin, requireUser } from "./sessions.ts";
import { userRoutes } from "./user-routes.ts";

/** For each address, in a minute. */
export interface RateLimits extends AuthLimits {
  readonly requests: number;
}

export interface HttpOptions {
  accounts: Accounts;
  users: Users;
  invitations: Invitations;
  audit: Audit;
  backends: Backends;
  instances: Instances;
  savedKeys: SavedKeys;
  news: News;
  check: () => Promise<void>;
  originAllowed: OriginRule;
  /** The public address is an https:// one. */
  publicTls: boolean;
  trustProxy: readonly string[];
  limits: RateLimits;
  version: string;
  /** Where the built page is. */
  pageDirectory: string;
  log: Log;
}

const FOREIGN_PAGE =
  "Requests from other sites' pages are refused; where this page is at DockHost's own address, set DOCKHOST_PUBLIC_URL to it.";

const BODY_LIMIT_BYTES = 64 * 1024;

/** Everything that speaks HTTP, ready to be handed requests; it listens nowhere by itself. */
export async function createHttp(options: HttpOptions): Promise<App> {
  const app = createApp(options);
  await registerProtection(app, options);
  await registerDocs(app, options.version);
  registerRoutes(app, options);
  pageRoutes(app, options.pageDirectory);
  await app.ready();
  return app;
}

function createApp({ trustProxy, audit, log }: HttpOptions): App {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler(replyNotFound);
  app.decorateRequest("user", null);
  acceptEmptyJson(app);
  auditRequests(app, audit);
  app.addHook("onResponse", (request, { statusCode, elapsedTime }, done) => {
    const line = { method: request.method, path: pathOf(request), status: statusCode, ms: Math.round(elapsedTime) };
    request.log[line.path === "/health" ? "debug" : "info"](line, "Request served.");
    done();
  });
  return app;
}

/** Many clients name JSON as the type of a body that they do not send. */
function acceptEmptyJson(app: App): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body: string, done) => {
    if (body === "") done(null, undefined);
    else void parseJson(request, body, done);
  });
}

async function registerProtection(app: App, { originAllowed, limits, publicTls }: HttpOptions): Promise<void> {
  await app.register(fastifyHelmet, {
    // Each kind of answer has its own.
    contentSecurityPolicy: false,
    strictTransportSecurity: publicTls,
  });
  app.addHook("onRequest", (_request, reply, done) => {
    void reply.headers({ "content-security-policy": ANSWER_POLICY, "permissions-policy": PERMISSIONS_POLICY });
    done();
  });
  await app.register(fastifyRateLimit, {
    max: limits.requests,
    timeWindow: 60_000,
    errorResponseBuilder: () =>
      new ServiceError("RATE_LIMITED", "Too many requests from your address; try again in a minute."),
  });
  await app.register(fastifyCookie);
  app.addHook("onRequest", (request, _reply, done) => {
    if (originAllowed(request.headers.origin, request.host)) done();
    else done(new ServiceError("FORBIDDEN", FOREIGN_PAGE));
  });
}

function registerRoutes(app: App, options: HttpOptions): void {
  const { accounts, audit, backends, instances, news, savedKeys, limits, publicTls, version, check } = options;
  healthRoute(app, version, check);
  authRoutes(app, { accounts, limits, cookie: { alwaysSecure: publicTls } });
  void app.register((signedIn: App, _options, done) => {
    signedIn.addHook("onRequest", requireUser(accounts));
    backendRoutes(signedIn, backends);
    instanceRoutes(signedIn, instances);
    savedKeyRoutes(signedIn, savedKeys);
    sessionRoutes(signedIn, accounts);
    newsRoute(signedIn, news, accounts);
    auditRoute(signedIn, audit);
    void signedIn.register(adminRoutes(options));
    done();
  });
}

const adminRoutes =
  ({ users, invitations }: HttpOptions) =>
  (app: App, _options: object, done: () => void) => {
    app.addHook("onRequest", requireAdmin);
    userRoutes(app, users);
    invitationRoutes(app, invitations);
    done();
  };

/** Without the query, which may hold what is not for the log. */
const pathOf = ({ url }: FastifyRequest) => url.split("?", 1)[0] ?? url;
