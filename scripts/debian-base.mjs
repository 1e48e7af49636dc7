import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptInstall, hasApt, isRoot } from "./apt.mjs";
import { SetupProblem } from "./problem.mjs";
import { end, run, succeeds, which } from "./run.mjs";

/** @typedef {import("./steps.mjs").Announce} Announce */

const name = "dockhost/base-debian:bookworm";
const suite = "bookworm";

/**
 * A Debian 12 base image from Debian's own packages, for machines that reach no image registry. Made once, then kept.
 * @param {Announce} announce
 */
export async function debianBase(announce) {
  if (await succeeds("docker", ["image", "inspect", name])) return name;
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
  try {
    await run("debootstrap", ["--variant=minbase", "--include=ca-certificates", suite, folder, mirror]);
    writeFileSync(join(folder, "etc/apt/sources.list"), sources);
    await run("chroot", [folder, "apt-get", "clean"]);
    await importAsImage(folder);
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

/** @param {string} folder */
async function importAsImage(folder) {
  const exclude = ["--exclude=./var/lib/apt/lists/*", "--exclude=./var/cache/apt/*.bin", "--exclude=./var/log/*.log"];
  const tar = spawn("tar", ["-C", folder, ...exclude, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const docker = spawn("docker", ["import", "--change", 'CMD ["bash"]', "-", name], {
    stdio: [tar.stdout, "ignore", "inherit"],
  });
  const [packed, imported] = await Promise.all([end(tar), end(docker)]);
  if (packed.code !== 0) throw new SetupProblem(`tar ${packed.how}.`);
  if (imported.code !== 0) throw new SetupProblem(`docker import ${imported.how}.`);
}
