import type { ErrorCode as CommandErrorCode } from "@dockhost/protocol";

import { StoreFullError } from "../store/store-error.ts";

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

/** What a failure is to the caller, where it is one that was foreseen. */
export function foreseen(error: unknown): ServiceError | undefined {
  if (error instanceof ServiceError) return error;
  if (!(error instanceof StoreFullError)) return undefined;
  const sentence = "The main server's disk is full, so nothing can be stored; its operator has to free some.";
  return new ServiceError("CAPACITY", sentence, { cause: error });
}
