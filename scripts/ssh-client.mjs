import { aptInstall, hasApt } from "./apt.mjs";
import { SetupProblem } from "./problem.mjs";
import { which } from "./run.mjs";
import { step } from "./steps.mjs";

/** OpenSSH's client: people log in with it, and so do the tests. */
export async function sshClient() {
  await step("ssh", async (announce) => {
    if (which("ssh") !== undefined && which("ssh-keygen") !== undefined) return "already there";
    if (!hasApt())
      throw new SetupProblem("OpenSSH's client is missing: install it (ssh, ssh-keygen), then run this again.");
    await aptInstall(["openssh-client"], "OpenSSH's client", announce);
    return "installed";
  });
}
