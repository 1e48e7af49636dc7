import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { docker, removeLabelled } from "./docker-cli.ts";

/** The id by which a backend knows its containers; undefined where none has ever worked in that directory. */
export async function backendId(dataDirectory: string): Promise<string | undefined> {
  const text = await readFile(join(dataDirectory, "backend.id"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

/** Removes a data directory and every container of the backend that worked in it, on the Engine of `run`; nobody else's. */
export async function removeBackend(dataDirectory: string, run = docker): Promise<void> {
  const id = await backendId(dataDirectory);
  if (id !== undefined) await removeLabelled(`dockhost.backend=${id}`, run);
  await rm(dataDirectory, { recursive: true, force: true });
}
