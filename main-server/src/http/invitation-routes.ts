import * as schemas from "@dockhost/protocol/rest";
import type { Invitations } from "../services/invitations.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";
import { userOf } from "./sessions.ts";

const tags = ["invitations"];
const { failures, Id } = schemas;

/** For admins. */
export function invitationRoutes(app: App, invitations: Invitations): void {
  app.post(
    "/api/invitations",
    {
      config: { audit: "invitation.created" },
      schema: { tags, body: schemas.NewInvitation, response: { 201: schemas.CreatedInvitation, ...failures } },
    },
    async (request, reply) => {
      const created = await invitations.create(userOf(request), request.body);
      remark(request, { subject: created.invitation.id, detail: created.invitation.role });
      return reply.code(201).send(created);
    },
  );

  app.get(
    "/api/invitations",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.InvitationPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await invitations.list(request.query);
      return { invitations: items, nextCursor };
    },
  );

  app.delete(
    "/api/invitations/:id",
    {
      config: { audit: "invitation.revoked" },
      schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      await invitations.revoke(request.params.id);
      return { id: request.params.id, deleted: true as const };
    },
  );
}
