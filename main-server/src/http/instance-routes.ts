import * as schemas from "@dockhost/protocol/rest";
import type { FastifyRequest } from "fastify";
import type { Caller, Instances } from "../services/instances.ts";
import type { App } from "./app.ts";
import { remark } from "./audit-hook.ts";
import { userOf } from "./sessions.ts";

const tags = ["instances"];
const { failures, Id } = schemas;

/** For signed-in users. */
export function instanceRoutes(app: App, instances: Instances): void {
  app.post(
    "/api/instances",
    {
      config: { audit: "instance.created" },
      schema: { tags, body: schemas.NewInstance, response: { 201: schemas.Instance, ...failures } },
    },
    async (request, reply) => {
      const instance = await instances.create(callerOf(request), request.body);
      remark(request, { subject: instance.id });
      return reply.code(201).send(instance);
    },
  );

  app.get(
    "/api/instances",
    { schema: { tags, querystring: schemas.PageQuery, response: { 200: schemas.InstancePage, ...failures } } },
    async (request) => {
      const { items, nextCursor } = await instances.list(callerOf(request), request.query);
      return { instances: items, nextCursor };
    },
  );

  app.get(
    "/api/instances/:id",
    { schema: { tags, params: Id, response: { 200: schemas.Instance, ...failures } } },
    async (request) => instances.get(callerOf(request), request.params.id),
  );

  for (const [verb, command, audit] of [
    ["start", "start-container", "instance.started"],
    ["stop", "stop-container", "instance.stopped"],
  ] as const) {
    app.post(
      `/api/instances/:id/${verb}`,
      { config: { audit }, schema: { tags, params: Id, response: { 200: schemas.Instance, ...failures } } },
      async (request) => instances.power(callerOf(request), request.params.id, command),
    );
  }

  app.put(
    "/api/instances/:id/keys",
    {
      config: { audit: "instance.keys-replaced" },
      schema: { tags, params: Id, body: schemas.InstanceKeys, response: { 200: schemas.Instance, ...failures } },
    },
    async (request) => instances.setKeys(callerOf(request), request.params.id, request.body.sshPublicKeys),
  );

  app.delete(
    "/api/instances/:id",
    {
      config: { audit: "instance.deleted" },
      schema: { tags, params: Id, response: { 200: schemas.Deleted, ...failures } },
    },
    async (request) => {
      remark(request, { subjectName: await instances.delete(callerOf(request), request.params.id) });
      return { id: request.params.id, deleted: true as const };
    },
  );
}

const callerOf = (request: FastifyRequest): Caller => ({
  user: userOf(request),
  host: request.hostname.replace(/^\[|\]$/g, ""),
});
