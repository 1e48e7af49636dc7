import * as schemas from "@dockhost/protocol/rest";
import * as z from "zod";
import type { Accounts } from "../services/accounts.ts";
import type { App } from "./app.ts";
import { sessionOf, userOf } from "./sessions.ts";

const tags = ["auth"];
const { failures, Id } = schemas;

/** What signed-in users do with their account. */
export function sessionRoutes(app: App, accounts: Accounts): void {
  app.post(
    "/api/auth/password",
    {
      config: { audit: "account.password-changed" },
      schema: { tags, body: schemas.NewPassword, response: { 200: z.object({}), ...failures } },
    },
    async (request) => {
      const { currentPassword, newPassword } = request.body;
      await accounts.changePassword(userOf(request), sessionOf(request) ?? "", currentPassword, newPassword);
      return {};
    },
  );

  app.get(
    "/api/auth/sessions",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.SessionPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await accounts.sessions(userOf(request), sessionOf(request) ?? "", request.query);
      return { sessions: items, nextCursor };
    },
  );

  app.delete(
    "/api/auth/sessions/:id",
    {
      config: { audit: "session.ended" },
      schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      await accounts.endSession(userOf(request), request.params.id);
      return { id: request.params.id, deleted: true as const };
    },
  );
}
