import { readdir, readFile } from "node:fs/promises";

/** The kernel names a container's control group after its id, whatever stands before it. */
const IN_CONTROL_GROUP = /[0-9a-f]{64}/;
/** What containerd keeps beside a container, `containerd-shim… -id <id>`; it stands in another group. */
const SHIM = /^[^\0]*containerd-shim[^\0]*\0(?:.*\0)?-id\0([0-9a-f]{64})\0/s;

/** This machine's processes in the containers `ids` and their shims, by container; none where the kernel does not tell. */
export async function processesOf(ids: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  if (ids.size === 0) return found;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const id = await containerOf(pid);
    if (id !== undefined && ids.has(id)) found.set(id, [...(found.get(id) ?? []), Number(pid)]);
  }
  return found;
}

async function containerOf(pid: string): Promise<string | undefined> {
  const [group, commandLine] = await Promise.all(
    ["cgroup", "cmdline"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
  );
  return IN_CONTROL_GROUP.exec(group ?? "")?.[0] ?? SHIM.exec(commandLine ?? "")?.[1];
}
