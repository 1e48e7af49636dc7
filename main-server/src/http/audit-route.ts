import { AuditPage, AuditQuery, failures } from "@dockhost/protocol/rest";
import type { Audit } from "../services/audit.ts";
import type { App } from "./app.ts";
import { userOf } from "./sessions.ts";

/** For signed-in users. */
export function auditRoute(app: App, audit: Audit): void {
  app.get(
    "/api/audit",
    { schema: { tags: ["audit"], querystring: AuditQuery, response: { 200: AuditPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await audit.list(userOf(request), request.query);
      return { entries: items, nextCursor };
    },
  );
}
