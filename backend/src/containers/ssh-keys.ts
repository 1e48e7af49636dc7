import { parseSshPublicKey } from "@dockhost/protocol";
import { DockHostError } from "./errors.ts";

/** The lines of an `authorized_keys`, in canonical form. Throws INVALID_KEY. */
export function authorizedKeys(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const parsed = parseSshPublicKey(line);
    if (!parsed.ok) throw new DockHostError("INVALID_KEY", parsed.reason);
    return parsed.key.line;
  });
}
