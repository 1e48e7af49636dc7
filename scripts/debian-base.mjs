import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptInstall, hasApt, isRoot } from "./apt.mjs";
import { SetupProblem } from "./problem.mjs";
import { docker, hasImage } from "./docker.mjs";
import { run, which } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

const name = "dockhost/base-debian:bookworm";
const suite = "bookworm";

/**
 * A Debian 12 base image from Debian's own packages, for machines that reach no image registry. Made once, then kept.
 * @param {Announce} announce
 */
export async function debianBase(announce) {
  if (await hasImage(name)) return name;
  if (!hasApt() || !isRoot()) {
    throw new SetupProblem(
      "Ubuntu's base image cannot be pulled, and only root on Debian or Ubuntu can make another: check the way to docker.io, or run this once as root.",
    );
  }
  if (which("debootstrap") === undefined) {
    await aptInstall(["debootstrap", "debian-archive-keyring"], "debootstrap", announce);
  }
  announce("making a Debian 12 base with debootstrap, as Ubuntu's cannot be pulled (about 1 minute)");
  await bootstrapAndImport();
  return name;
}

async function bootstrapAndImport() {
  // Not in /tmp, which is often mounted without devices.
  const folder = mkdtempSync("/var/tmp/dockhost-debian-");
  const system = join(folder, "system");
  const archive = join(folder, "system.tar");
  try {
    await run("debootstrap", ["--variant=minbase", "--include=ca-certificates", suite, system, mirror]);
    writeFileSync(join(system, "etc/apt/sources.list"), sources);
    await run("tar", ["-C", system, ...leaveOut, "-cf", archive, "."]);
    await docker(["import", "--change", 'CMD ["bash"]', archive, name]);
  } finally {
    // One file system: a debootstrap that was cut short leaves /proc mounted in there.
    await run("rm", ["-rf", "--one-file-system", folder]).catch(() => undefined);
  }
}

const mirror = "http://deb.debian.org/debian";

const sources = `deb ${mirror} ${suite} main
deb ${mirror} ${suite}-updates main
deb http://deb.debian.org/debian-security ${suite}-security main
`;

const leaveOut = ["var/lib/apt/lists/*", "var/cache/apt/*", "var/log/*.log"].map((path) => `--exclude=./${path}`);
