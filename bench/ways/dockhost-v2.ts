import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { docker, dockerRun } from "./docker-run.ts";
import type { BaselineParts } from "./raw-engine.ts";
import { sshBanner } from "./ssh-banner.ts";
import type { Attempt, Way } from "./way.ts";

const run = promisify(execFile);

/**
 * As DockHost V2's backend did it: a program to see which ports are in use, then `docker run` with three ports and an
 * answer when that returns, whether or not SSH answers. The profile is ours, though, not its own.
 */
export class DockHostV2 implements Way {
  readonly name = "DockHost V2's way, and then until SSH answers";
  readonly #parts: BaselineParts;
  #withoutSsh: number[] = [];

  constructor(parts: BaselineParts) {
    this.#parts = parts;
  }

  /** It looks by `ss`, of iproute2. */
  static async isPossible(): Promise<boolean> {
    return run("ss", ["-V"]).then(
      () => true,
      () => false,
    );
  }

  async prepare(): Promise<Attempt> {
    const { engine, ports } = this.#parts;
    const candidate = await ports.triple();
    let id = "";
    return {
      create: async () => {
        const begin = performance.now();
        const base = await this.#firstUnused(candidate);
        id = await docker(dockerRun(this.#parts, base));
        this.#withoutSsh.push(performance.now() - begin);
        await sshBanner(base);
      },
      remove: () => engine.remove(id),
    };
  }

  /** What V2 took by its own lights: until `docker run` returned, of the creates since this was last asked. */
  takeWithoutSsh(): number[] {
    const taken = this.#withoutSsh;
    this.#withoutSsh = [];
    return taken;
  }

  async #firstUnused(candidate: number): Promise<number> {
    let base = candidate;
    while (!(await areUnused(base))) base = await this.#parts.ports.triple();
    return base;
  }
}

async function areUnused(base: number): Promise<boolean> {
  const { stdout } = await run("ss", ["-tuln"]);
  const used = new Set([...stdout.matchAll(/:(\d+)\s/g)].map(([, port]) => Number(port)));
  return [base, base + 1, base + 2].every((port) => !used.has(port));
}
