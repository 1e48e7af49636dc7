import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** How long containers may take to go, and how often is looked whether they are gone, ms. */
const REMOVAL_MS = 60_000;
const REMOVAL_LOOK_MS = 200;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program answers, whatever its exit code. */
export async function outcome(command: string, args: readonly string[]): Promise<Outcome> {
  return execute(command, args, { timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      return { code: typeof code === "number" ? code : 127, stdout, stderr };
    },
  );
}

/** Runs `docker` and answers its trimmed stdout. Throws with its stderr where it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute("docker", args);
  return stdout.trim();
}

/** Removes every container that bears a label; one whose removal was begun by somebody else is waited for. */
export async function removeLabelled(label: string, run = docker): Promise<void> {
  const end = performance.now() + REMOVAL_MS;
  for (;;) {
    const ids = await run("ps", "--all", "--quiet", "--filter", `label=${label}`);
    if (ids === "") return;
    try {
      await run("rm", "--force", "--volumes", ...ids.split("\n"));
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(REMOVAL_LOOK_MS);
    }
  }
}
