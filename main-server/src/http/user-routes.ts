import * as schemas from "@dockhost/protocol/rest";
import type { Users } from "../services/users.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";

const tags = ["users"];
const { failures, Id } = schemas;

/** For admins. */
export function userRoutes(app: App, users: Users): void {
  app.get(
    "/api/users",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.UserPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await users.list(request.query);
      return { users: items, nextCursor };
    },
  );

  app.put(
    "/api/users/:id/role",
    {
      config: { audit: "account.role-changed" },
      schema: { tags, params: Id, body: schemas.NewRole, response: { 200: schemas.User, ...failures } },
    },
    async (request) => {
      const user = await users.setRole(request.params.id, request.body.role);
      remark(request, { subject: user.username, detail: user.role });
      return user;
    },
  );
}
