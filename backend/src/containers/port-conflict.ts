import type { EngineError } from "../engine/engine.ts";
import { DockHostError } from "./errors.ts";
import { portHolder } from "./port-holder.ts";
import { canBind } from "./port-triples.ts";

/** Says which port of the triple at `base` is taken and, where it can be told, by whom. */
export async function portConflict(base: number, cause: EngineError): Promise<DockHostError> {
  const port = cause.port ?? (await firstTaken(base)) ?? base;
  const holder = await portHolder(port);
  const by = holder ? ` by ${holder.process} (pid ${holder.pid})` : "";
  return new DockHostError(
    "PORT_CONFLICT",
    `Port already in use: ${port} is held${by}; free it and start the container again.`,
    { cause },
  );
}

async function firstTaken(base: number): Promise<number | undefined> {
  for (const port of [base, base + 1, base + 2]) {
    if (!(await canBind(port))) return port;
  }
  return undefined;
}
