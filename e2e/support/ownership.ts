import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";

/**
 * A name that tells whose it is: its owner's process id, and when that process began, as ids are used again. So what a
 * test left that was cut off is told from what another test uses now.
 */
export const nameOfOwn = (form: string): string =>
  `${form}-${process.pid}-${beginOf(readFileSync("/proc/self/stat", "utf8"))}-${randomBytes(4).toString("hex")}`;

/** Those of `names` that have this form and whose owner has ended. */
export async function leftovers(form: string, names: readonly string[]): Promise<string[]> {
  const pattern = new RegExp(`^${form}-(\\d+)-(\\d+)-[0-9a-f]{8}$`);
  const ended = await Promise.all(
    names.map(async (name) => {
      const [, pid, begin] = pattern.exec(name) ?? [];
      if (pid === undefined) return false;
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      return beginOf(stat) !== begin;
    }),
  );
  return names.filter((_, index) => ended[index]);
}

/**
 * When a process began, in clock ticks since the machine did: the 22nd field, counted from the end of its name. Undefined
 * of one that has ended, though whoever started it has not taken note of that yet.
 */
function beginOf(stat: string): string | undefined {
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : fields[18];
}
