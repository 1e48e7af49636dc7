import * as schemas from "@dockhost/protocol/rest";
import type { FastifyRequest } from "fastify";
import type { Backends } from "../services/backends.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";
import { userOf } from "./sessions.ts";

const tags = ["backends"];
const { failures, Id, KeyId } = schemas;

/** For signed-in users. */
export function backendRoutes(app: App, backends: Backends): void {
  app.post(
    "/api/backends",
    {
      config: { audit: "backend.registered" },
      schema: { tags, body: schemas.NewBackend, response: { 201: schemas.CreatedBackend, ...failures } },
    },
    async (request, reply) => {
      const created = await backends.create(userOf(request), request.body.name);
      remark(request, { subject: created.backend.id, subjectName: created.backend.name });
      return reply.code(201).send(created);
    },
  );

  app.get(
    "/api/backends",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.BackendPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await backends.list(userOf(request), request.query);
      return { backends: items, nextCursor };
    },
  );

  app.get(
    "/api/backends/:id",
    { schema: { tags, params: Id, response: { 200: schemas.Backend, ...failures } } },
    async (request) => backends.get(userOf(request), request.params.id),
  );

  app.get(
    "/api/backends/:id/containers",
    { schema: { tags, params: Id, response: { 200: schemas.BackendContainers, ...failures } } },
    async (request) => ({ containers: await backends.containers(userOf(request), request.params.id) }),
  );

  app.put(
    "/api/backends/:id/draining",
    {
      config: { audit: drainedOrNot },
      schema: { tags, params: Id, body: schemas.Draining, response: { 200: schemas.Draining, ...failures } },
    },
    async (request) => backends.setDraining(userOf(request), request.params.id, request.body.draining),
  );

  app.delete(
    "/api/backends/:id",
    {
      config: { audit: "backend.deleted" },
      schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      remark(request, { subjectName: await backends.remove(userOf(request), request.params.id) });
      return { id: request.params.id, deleted: true as const };
    },
  );

  keyRoutes(app, backends);
}

function keyRoutes(app: App, backends: Backends): void {
  app.post(
    "/api/backends/:id/keys",
    {
      config: { audit: "backend-key.minted" },
      schema: { tags, params: Id, response: { 201: schemas.CreatedKey, ...failures } },
    },
    async (request, reply) => {
      const minted = await backends.mintKey(userOf(request), request.params.id);
      remark(request, { detail: `Key ${minted.key.id}` });
      return reply.code(201).send(minted);
    },
  );

  app.get(
    "/api/backends/:id/keys",
    { schema: { tags, params: Id, querystring: schemas.PageQuery, response: { 200: schemas.KeyPage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await backends.listKeys(userOf(request), request.params.id, request.query);
      return { keys: items, nextCursor };
    },
  );

  app.delete(
    "/api/backends/:id/keys/:keyId",
    {
      config: { audit: "backend-key.revoked" },
      schema: { tags, params: KeyId, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      const { id, keyId } = request.params;
      remark(request, { detail: `Key ${keyId}` });
      await backends.revokeKey(userOf(request), id, keyId);
      return { id: keyId, deleted: true as const };
    },
  );
}

/** Its body may be anything as yet. */
const drainedOrNot = ({ body }: FastifyRequest): schemas.AuditAction =>
  (body as Partial<schemas.Draining> | null | undefined)?.draining === false ? "backend.undrained" : "backend.drained";
