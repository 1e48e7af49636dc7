import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import type { FastifyReply, FastifyRequest } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { App } from "./app.ts";
import { DOCS_POLICY } from "./policies.ts";

const PATH = "/api/docs";

/** Before the routes: what is registered afterwards is in the document. */
export async function registerDocs(app: App, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "DockHost main server", version, description: "Accounts, backends and instances." },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: PATH,
    uiHooks: { onRequest: documentForPrograms },
    staticCSP: DOCS_POLICY,
  });
}

/** At the same address a browser gets a page, everyone else the document. */
function documentForPrograms(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const [path] = request.url.split("?");
  const asksForPage = request.headers.accept?.includes("text/html") === true;
  if (asksForPage || (path !== PATH && path !== `${PATH}/`)) done();
  else void reply.send(request.server.swagger());
}
