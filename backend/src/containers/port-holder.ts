import { readdir, readFile, readlink } from "node:fs/promises";

export interface PortHolder {
  process: string;
  pid: number;
}

/** State code of a listening socket in /proc/net/tcp. */
const LISTEN = "0A";

/** Who listens on `port` of this machine, where the kernel tells this user; undefined where it does not. */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const sockets = new Set((await listeningInodes(port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (await hasOneOf(pid, sockets)) return { process: await commandOf(pid), pid: Number(pid) };
  }
  return undefined;
}

async function listeningInodes(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return tables.flatMap((table) =>
    table.split("\n").flatMap((row) => {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      return local?.endsWith(`:${hexPort}`) && state === LISTEN && inode !== undefined ? [inode] : [];
    }),
  );
}

async function hasOneOf(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    if (sockets.has(target)) return true;
  }
  return false;
}

const commandOf = async (pid: string): Promise<string> =>
  (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "unknown")).trim();
