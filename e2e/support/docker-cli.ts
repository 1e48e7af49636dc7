import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

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
