import type { EngineError } from "../engine/engine.ts";
import { DockHostError, toDockHostError } from "./errors.ts";
import { portHolder } from "./port-holder.ts";
import { canBind } from "./port-triples.ts";

/** Says which port of the triple at `base` is taken, by whom where it can be told, and why its container did not move. */
export async function portConflict(base: number, cause: EngineError, whyNotMoved: unknown): Promise<DockHostError> {
  const port = cause.port ?? (await firstTaken(base)) ?? base;
  const holder = await portHolder(port);
  const by = holder ? ` by ${holder.process} (pid ${holder.pid})` : "";
  return new DockHostError(
    "PORT_CONFLICT",
    `Port already in use: ${port} is held${by}, and the container could not move to others (${reason(whyNotMoved)}); free it and start the container again.`,
    { cause },
  );
}

async function firstTaken(base: number): Promise<number | undefined> {
  for (const port of [base, base + 1, base + 2]) {
    if (!(await canBind(port))) return port;
  }
  return undefined;
}

const reason = (error: unknown): string => toDockHostError(error).message.replace(/\.$/, "");
