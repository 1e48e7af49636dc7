import { readFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import type { EngineApi } from "../ways/engine-api.ts";
import type { Machine } from "./report.ts";

/** Where the figures come from. */
export async function describeMachine(engine: EngineApi): Promise<Machine> {
  const info = await engine.call<{ ServerVersion: string; Driver: string; CgroupVersion?: string }>("GET", "/info");
  const [processor] = cpus();
  return {
    Processor: `${cpus().length} cores (${processor?.model ?? "unknown"})`,
    Memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    System: `${await distribution()}, Linux ${release()}`,
    Engine: `Docker ${info.ServerVersion}, ${info.Driver}, cgroup v${info.CgroupVersion ?? "1"}`,
    Node: process.versions.node,
  };
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1] ?? "Linux";
}
