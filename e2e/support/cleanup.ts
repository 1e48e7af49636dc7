import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { machinesEngine } from "./engine-api.ts";

/** The id by which a backend knows its containers; undefined where none has ever worked in that directory. */
export async function backendId(dataDirectory: string): Promise<string | undefined> {
  const text = await readFile(join(dataDirectory, "backend.id"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

/** Removes a data directory and every container of the backend that worked in it, on that Engine; nobody else's. */
export async function removeBackend(dataDirectory: string, engine = machinesEngine): Promise<void> {
  const id = await backendId(dataDirectory);
  if (id !== undefined) await engine.removeAll(`dockhost.backend=${id}`);
  await rm(dataDirectory, { recursive: true, force: true });
}
