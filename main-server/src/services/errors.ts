import type { ErrorCode as CommandErrorCode } from "@dockhost/protocol";

/** A backend's codes, and those of the main server itself. */
export type ErrorCode =
  CommandErrorCode | "UNAUTHENTICATED" | "FORBIDDEN" | "TOO_LARGE" | "BACKEND_OFFLINE" | "NO_BACKEND" | "BACKEND_FAULT";

/** A failure that the caller is told of: `message` is one sentence that a person can act on. */
export class ServiceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ServiceError";
    this.code = code;
  }
}
