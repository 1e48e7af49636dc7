import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyReply, FastifyRequest } from "fastify";
import { STREAMS_PATH } from "@dockhost/protocol";
import type { App } from "./app.ts";
import { pagePolicy } from "./policies.ts";

/** Where `npm run build` puts the page: the same place seen from this file's source and from what it is compiled to. */
export const BUILT_PAGE = fileURLToPath(new URL("../../../frontend/dist/", import.meta.url));

const NOT_BUILT =
  "The page is not built: npm run build builds it, as npm start does. Programs find the API described at /api/docs.\n";

/** Stands in index.html for what each response says in its policy. */
const NONCE_MARK = "__CSP_NONCE__";

const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

/** Beneath these nothing is a page's address. */
const FOR_PROGRAMS = ["/api", "/assets", "/health", "/socket.io", STREAMS_PATH];

/** Serves the page that is built in `directory`, or says that it is not; it may be built while we run. */
export function pageRoutes(app: App, directory: string): void {
  void app.register(fastifyStatic, {
    root: join(directory, "assets"),
    prefix: "/assets/",
    // A file's name tells its content.
    immutable: true,
    maxAge: YEAR_MS,
    preCompressed: true,
    index: false,
    decorateReply: false,
    suppressWarning: true,
  });
  app.get("/*", { schema: { hide: true } }, async (request, reply) => {
    if (asksForPage(request)) return sendPage(reply, join(directory, "index.html"));
    reply.callNotFound();
    return reply;
  });
}

/** Each address of the page leads to the same file; what it shows there is for its script to say. */
function asksForPage({ url, headers }: FastifyRequest): boolean {
  const path = url.split("?", 1)[0] ?? url;
  if (path === "/") return true;
  const isForPrograms = FOR_PROGRAMS.some((one) => path === one || path.startsWith(`${one}/`));
  return !isForPrograms && headers.accept?.includes("text/html") === true;
}

async function sendPage(reply: FastifyReply, file: string): Promise<FastifyReply> {
  void reply.header("cache-control", "no-cache");
  const html = await readFile(file, "utf8").catch(notThere);
  if (html === undefined) return reply.code(503).type("text/plain; charset=utf-8").send(NOT_BUILT);
  const nonce = randomBytes(16).toString("base64url");
  return reply
    .header("content-security-policy", pagePolicy(nonce))
    .type("text/html; charset=utf-8")
    .send(html.replace(NONCE_MARK, nonce));
}

function notThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
