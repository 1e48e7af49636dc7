import { isRetryable, type Container, type ErrorCode, type Failure } from "@dockhost/protocol";
import { EngineError } from "../engine/engine.ts";

/** The one error that a command may fail with; its message is one sentence that a person can act on. */
export class DockHostError extends Error {
  override readonly name = "DockHostError";
  readonly code: ErrorCode;
  /** Only of ALREADY_EXISTS: the container that exists. */
  readonly existing: Container | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; existing?: Container } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.existing = options.existing;
  }
}

/** Any failure in the contract's words. What nobody foresaw is INTERNAL, and its own words stay in the log. */
export function toDockHostError(error: unknown): DockHostError {
  if (error instanceof DockHostError) return error;
  if (error instanceof EngineError) return fromEngine(error);
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOSPC") return diskFull(error);
  return new DockHostError("INTERNAL", "The backend failed in a way it did not foresee; its log says more.", {
    cause: error,
  });
}

export function toFailure(error: unknown): Failure {
  const { code, message, existing } = toDockHostError(error);
  return { success: false, message, data: existing ?? null, error: { code, retryable: isRetryable(code) } };
}

function fromEngine(error: EngineError): DockHostError {
  const sentence = error.message.trim().split("\n", 1)[0] ?? "";
  switch (error.kind) {
    case "unreachable":
      return new DockHostError(
        "ENGINE_UNAVAILABLE",
        `Docker is not reachable on the backend's machine (${sentence}); try again when it is back.`,
        { cause: error },
      );
    case "timed-out":
      return new DockHostError(
        "DEADLINE_EXCEEDED",
        `Docker does not answer on the backend's machine (${sentence}) and may still do what it was asked; try again.`,
        { cause: error },
      );
    case "not-found":
      return new DockHostError("NOT_FOUND", `Docker no longer has it: ${sentence}`, { cause: error });
    case "port-taken":
      return new DockHostError("PORT_CONFLICT", `Port already in use: ${sentence}`, { cause: error });
    case "name-taken":
      return new DockHostError("CONFLICT", sentence, { cause: error });
    case "disk-full":
      return diskFull(error);
    case "quota-too-small":
      return new DockHostError(
        "INVALID_ARGUMENT",
        "The disk limit is smaller than the image itself; ask for more, or let the operator raise DOCKHOST_DISK.",
        { cause: error },
      );
    case "directory-left":
      return new DockHostError(
        "START_FAILED",
        `Docker keeps what an earlier start of it has left (${sentence}); let the operator of its machine remove that directory.`,
        { cause: error },
      );
    case "limit-refused":
    case "quota-unsupported":
    case "other":
      return new DockHostError("INTERNAL", `Docker refused: ${sentence}`, { cause: error });
  }
}

const diskFull = (cause: unknown): DockHostError =>
  new DockHostError("CAPACITY", "This backend's disk is full; use another backend or free some space.", { cause });
