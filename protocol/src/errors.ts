import * as z from "zod";

/** The closed set of codes that a failed command carries. */
export const ErrorCode = z.enum([
  "INVALID_ARGUMENT",
  "INVALID_KEY",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "CONFLICT",
  "CAPACITY",
  "NO_FREE_PORTS",
  "PORT_CONFLICT",
  "IMAGE_UNAVAILABLE",
  "START_FAILED",
  "SSH_NOT_READY",
  "ENGINE_UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "DRAINING",
  "RATE_LIMITED",
  "INTERNAL",
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** Codes that the same request, sent again later, may overcome without anyone changing anything. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CAPACITY",
  "NO_FREE_PORTS",
  "PORT_CONFLICT",
  "SSH_NOT_READY",
  "ENGINE_UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "DRAINING",
  "RATE_LIMITED",
]);

export const isRetryable = (code: ErrorCode): boolean => RETRYABLE.has(code);
