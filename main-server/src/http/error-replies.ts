import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { foreseen, ServiceError, type ErrorCode } from "../services/errors.ts";
import { remark } from "./audit-hook.ts";

/** The one place where a code becomes a status. */
const STATUS: Record<ErrorCode, number> = {
  INVALID_ARGUMENT: 400,
  INVALID_KEY: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  PORT_CONFLICT: 409,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  IMAGE_UNAVAILABLE: 502,
  START_FAILED: 502,
  SSH_NOT_READY: 502,
  BACKEND_FAULT: 502,
  CAPACITY: 503,
  NO_FREE_PORTS: 503,
  DRAINING: 503,
  ENGINE_UNAVAILABLE: 503,
  BACKEND_OFFLINE: 503,
  NO_BACKEND: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What went wrong inside is for the log; the caller learns only that it did. */
export function replyWithError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = asServiceError(error);
  if (failure.code === "INTERNAL") request.log.error({ err: error }, "A request failed.");
  if (failure.cause !== undefined) request.log.warn({ problem: failure.message }, "A request failed.");
  remark(request, { detail: failure.message });
  return reply.code(STATUS[failure.code]).send({ error: { code: failure.code, message: failure.message } });
}

export function replyNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return replyWithError(new ServiceError("NOT_FOUND", "There is nothing at this address."), request, reply);
}

function asServiceError(error: unknown): ServiceError {
  const known = foreseen(error);
  if (known) return known;
  if (hasZodFastifySchemaValidationErrors(error)) return new ServiceError("INVALID_ARGUMENT", sentenceOf(error));
  const status = (error as Partial<FastifyError> | null)?.statusCode ?? 500;
  if (status === 413) return new ServiceError("TOO_LARGE", "The request is too large.");
  if (status >= 400 && status < 500) {
    return new ServiceError(
      "INVALID_ARGUMENT",
      "The request cannot be read: its body must be JSON, sent as application/json.",
    );
  }
  return new ServiceError("INTERNAL", "Something went wrong in the main server; its log says what.");
}

function sentenceOf({ validation, validationContext }: FastifyError): string {
  const [first] = validation ?? [];
  const field = first?.instancePath.slice(1).replaceAll("/", ".");
  const problem = first?.message ?? "is not valid";
  return `${field === undefined || field === "" ? `The ${validationContext ?? "request"}` : field}: ${problem}.`;
}
