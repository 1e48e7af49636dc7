import { DockerApiError } from "./docker-api.ts";
import { EngineError } from "./engine.ts";

/** Socket errors of a kept-alive connection whose Engine has restarted (seen: EPIPE). */
export function isConnectionLost(error: unknown): boolean {
  return ["EPIPE", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "");
}

export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (!(error instanceof DockerApiError)) return withoutAnswer(error as NodeJS.ErrnoException);
  const { status: answered, message: said } = error;
  for (const [status, pattern, kind] of REFUSALS) {
    if (answered === status && pattern.test(said)) {
      return new EngineError(kind, said, {
        cause: error,
        port: kind === "port-taken" ? portIn(said) : undefined,
        directory: kind === "directory-left" ? LEFT_DIRECTORY.exec(said)?.[1] : undefined,
      });
    }
  }
  return new EngineError("other", said, { cause: error });
}

function withoutAnswer(cause: NodeJS.ErrnoException): EngineError {
  if (cause.code === "EACCES") {
    const remedy = "The Docker Engine's socket may not be opened; add this user to the group 'docker', or run as root.";
    return new EngineError("unreachable", remedy, { cause });
  }
  return new EngineError("unreachable", cause.message, { cause });
}

/** containerd's own, of a container, in the root of its state: that it is there says that the container runs. */
const LEFT_DIRECTORY = /mkdir (\/\S+\/io\.containerd\.runtime\.v2\.task\/\S+): file exists/;

/** The Engine tells these apart by words alone (seen with 20.10 to 28). */
const REFUSALS = [
  [404, /./, "not-found"],
  // A daemon on its way out has no containerd and no network store any more.
  [
    500,
    /transport is closing|client connection is closing|connection error: desc|failed to update store for object type/i,
    "unreachable",
  ],
  [409, /already in use by container|already exists/i, "name-taken"],
  [500, /no space left on device/i, "disk-full"],
  [500, /disk quota exceeded/i, "quota-too-small"],
  [500, /port is already allocated|address already in use/i, "port-taken"],
  [500, LEFT_DIRECTORY, "directory-left"],
  [400, /rlimit/i, "limit-refused"],
  [500, /rlimit/i, "limit-refused"],
  [400, /storage-opt|storage opt|quota/i, "quota-unsupported"],
  [500, /storage-opt|storage opt|quota/i, "quota-unsupported"],
] as const;

/** `Bind for 0.0.0.0:1024 failed` or `listen tcp4 0.0.0.0:1024: bind: …`. */
function portIn(message: string): number | undefined {
  const found = /:(\d+)(?: failed|: bind)/.exec(message);
  return found ? Number(found[1]) : undefined;
}
