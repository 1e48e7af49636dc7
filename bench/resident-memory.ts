import { readFile } from "node:fs/promises";

/** https://docs.kernel.org/filesystems/proc.html: VmRSS, in kB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`The kernel tells no memory of process ${pid}.`);
  return Number(kilobytes) / 1024;
}
