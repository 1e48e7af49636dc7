import type { Backends } from "../services/backends.ts";
import type { App } from "./app.ts";
import * as schemas from "./schemas.ts";
import { userOf } from "./sessions.ts";

const tags = ["backends"];
const { failures, Id, KeyId } = schemas;

/** For signed-in users. */
export function backendRoutes(app: App, backends: Backends): void {
  app.post(
    "/api/backends",
    { schema: { tags, body: schemas.NewBackend, response: { 201: schemas.CreatedBackend, ...failures } } },
    async (request, reply) => reply.code(201).send(await backends.create(userOf(request).id, request.body.name)),
  );

  app.get(
    "/api/backends",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.BackendPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await backends.list(userOf(request).id, request.query);
      return { backends: items, nextCursor };
    },
  );

  app.get(
    "/api/backends/:id",
    { schema: { tags, params: Id, response: { 200: schemas.Backend, ...failures } } },
    async (request) => backends.get(userOf(request).id, request.params.id),
  );

  app.get(
    "/api/backends/:id/containers",
    { schema: { tags, params: Id, response: { 200: schemas.BackendContainers, ...failures } } },
    async (request) => ({ containers: await backends.containers(userOf(request).id, request.params.id) }),
  );

  app.put(
    "/api/backends/:id/draining",
    { schema: { tags, params: Id, body: schemas.Draining, response: { 200: schemas.Draining, ...failures } } },
    async (request) => backends.setDraining(userOf(request).id, request.params.id, request.body.draining),
  );

  app.delete(
    "/api/backends/:id",
    { schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } } },
    async (request) => {
      await backends.remove(userOf(request).id, request.params.id);
      return { id: request.params.id, deleted: true as const };
    },
  );

  keyRoutes(app, backends);
}

function keyRoutes(app: App, backends: Backends): void {
  app.post(
    "/api/backends/:id/keys",
    { schema: { tags, params: Id, response: { 201: schemas.CreatedKey, ...failures } } },
    async (request, reply) => reply.code(201).send(await backends.mintKey(userOf(request).id, request.params.id)),
  );

  app.get(
    "/api/backends/:id/keys",
    { schema: { tags, params: Id, querystring: schemas.PageQuery, response: { 200: schemas.KeyPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await backends.listKeys(userOf(request).id, request.params.id, request.query);
      return { keys: items, nextCursor };
    },
  );

  app.delete(
    "/api/backends/:id/keys/:keyId",
    { schema: { tags, params: KeyId, response: { 200: schemas.Deleted, ...failures } } },
    async (request) => {
      const { id, keyId } = request.params;
      await backends.revokeKey(userOf(request).id, id, keyId);
      return { id: keyId, deleted: true as const };
    },
  );
}
