import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { removeLabelled } from "./docker-cli.ts";

/** The id by which a backend knows its containers; undefined where none has ever worked in that directory. */
export async function backendId(dataDirectory: string): Promise<string | undefined> {
  const text = await readFile(join(dataDirectory, "backend.id"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

/** Removes a data directory and every container of the backend that worked in it; nobody else's. */
export async function removeBackend(dataDirectory: string): Promise<void> {
  const id = await backendId(dataDirectory);
  if (id !== undefined) await removeLabelled(`dockhost.backend=${id}`);
  await rm(dataDirectory, { recursive: true, force: true });
}
