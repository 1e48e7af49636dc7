import type { AuditAction, AuditEntry } from "@dockhost/protocol/rest";
import type { FastifyRequest } from "fastify";
import type { Act, Audit } from "../services/audit.ts";
import type { App } from "./app.ts";

/** What is known of an act beyond its route, its user and its status. */
type Remark = Partial<Pick<Act, "user" | "subject" | "subjectName" | "detail" | "address">>;

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a request of this route does, as it is put on record; `done`: it has succeeded. */
    audit?: AuditAction | ((request: FastifyRequest, done: boolean) => AuditAction);
  }
  interface FastifyRequest {
    remark: Remark | null;
  }
}

/** What is done by those who are not signed in; whatever else they try is not theirs to do, and nobody's act. */
const BEFORE_SIGNING_IN: readonly AuditAction[] = ["account.signed-up", "account.sign-in-failed"];

/** Puts every request of a route with `config.audit` on record as it is answered, also where nobody waits for the answer any more. */
export function auditRequests(app: App, audit: Audit): void {
  app.decorateRequest("remark", null);
  // Whoever has gone before the answer has no address any more.
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.routeOptions.config.audit !== undefined) remark(request, { address: request.ip });
    done();
  });
  app.addHook("onSend", (request, { statusCode }, _payload, done) => {
    const act = actOf(request, statusCode);
    if (act) audit.record(act);
    done();
  });
}

/** What is said of one act is gathered; the later word counts. */
export function remark(request: FastifyRequest, said: Remark): void {
  request.remark = { ...request.remark, ...said };
}

/** Undefined where it is none, or was turned away unread for coming too often: so nobody floods the record. */
function actOf(request: FastifyRequest, status: number): Act | undefined {
  const { audit: named } = request.routeOptions.config;
  if (named === undefined || status === 429) return undefined;
  const outcome = outcomeOf(status);
  const action = typeof named === "function" ? named(request, outcome === "done") : named;
  const user = request.remark?.user ?? request.user ?? undefined;
  if (!user && !BEFORE_SIGNING_IN.includes(action)) return undefined;
  const { id = null } = request.params as { id?: string };
  return { action, outcome, subject: id, detail: null, address: null, ...request.remark, user };
}

function outcomeOf(status: number): AuditEntry["outcome"] {
  if (status < 400) return "done";
  return status < 500 ? "refused" : "failed";
}
