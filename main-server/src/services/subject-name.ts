import type { AuditAction } from "@dockhost/protocol/rest";
import type { Store } from "../store/store.ts";

/** What the subject of an act is called: a backend by its name, an instance by its backend's; null of the rest, and of what is gone. */
export async function nameOf(
  { backends, instances }: Store,
  action: AuditAction,
  subject: string,
): Promise<string | null> {
  const [kind] = action.split(".");
  if (kind === "backend" || kind === "backend-key") return (await backends.get(subject))?.name ?? null;
  if (kind !== "instance" && kind !== "shell") return null;
  const instance = await instances.get(subject);
  return instance ? ((await backends.get(instance.backendId))?.name ?? null) : null;
}
