import { existsSync } from "node:fs";
import { aptInstall, hasApt } from "./apt.mjs";
import { SetupProblem } from "./problem.mjs";
import { run, succeeds, which } from "./run.mjs";
import { step } from "./steps.mjs";

// The one that Debian's packages are for: another may stand before it on the PATH.
const debianPython = "/usr/bin/python3";

/** What only the tests need: a registry to pull from, an independent Socket.IO to speak with, an auditor, a filesystem with quotas, a browser. */
const tools = [
  { name: "docker-registry", present: async () => which("docker-registry") !== undefined },
  { name: "python3-socketio", present: () => succeeds(debianPython, ["-c", "import socketio"]) },
  { name: "python3-aiohttp", present: () => succeeds(debianPython, ["-c", "import aiohttp"]) },
  { name: "ssh-audit", present: async () => which("ssh-audit") !== undefined },
  { name: "btrfs-progs", present: async () => which("mkfs.btrfs") !== undefined },
  { name: "chromium", present: async () => which("chromium") !== undefined || existsSync("/usr/bin/chromium") },
];

export async function testTools() {
  await step("test tools", async (announce) => {
    const present = await Promise.all(tools.map((tool) => tool.present()));
    const missing = tools.filter((_, index) => !present[index]).map((tool) => tool.name);
    if (missing.length === 0) return "already there";
    if (!hasApt())
      throw new SetupProblem(
        `The tests need ${missing.join(", ")} (as Debian calls them): install them, then run this again.`,
      );

    await aptInstall(missing, "what the tests need", announce);
    // The tests start a registry of their own; Debian's service would listen on every boot.
    if (missing.includes("docker-registry") && existsSync("/run/systemd/system")) {
      await run("systemctl", ["disable", "--now", "docker-registry"]);
    }
    return "installed";
  });
}
