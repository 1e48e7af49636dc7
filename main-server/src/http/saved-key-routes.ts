import * as schemas from "@dockhost/protocol/rest";
import type { SavedKeys } from "../services/saved-keys.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";
import { userOf } from "./sessions.ts";

const tags = ["keys"];
const { failures, Id } = schemas;

/** For signed-in users. */
export function savedKeyRoutes(app: App, keys: SavedKeys): void {
  app.post(
    "/api/keys",
    {
      config: { audit: "saved-key.added" },
      schema: { tags, body: schemas.NewSavedKey, response: { 201: schemas.SavedKey, ...failures } },
    },
    async (request, reply) => {
      const { sshPublicKey, name } = request.body;
      const saved = await keys.add(userOf(request).id, sshPublicKey, name);
      remark(request, { subject: saved.id, detail: saved.fingerprint });
      return reply.code(201).send(saved);
    },
  );

  app.get(
    "/api/keys",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.SavedKeyPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await keys.list(userOf(request).id, request.query);
      return { keys: items, nextCursor };
    },
  );

  app.delete(
    "/api/keys/:id",
    {
      config: { audit: "saved-key.removed" },
      schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      await keys.remove(userOf(request).id, request.params.id);
      return { id: request.params.id, deleted: true as const };
    },
  );
}
