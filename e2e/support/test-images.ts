import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { docker } from "./docker-cli.ts";

/** Images made for one test file, and removed with it. */
export class TestImages implements AsyncDisposable {
  readonly #references: string[] = [];

  /** Builds on our instance image, by further lines of a Dockerfile. */
  async build(...lines: readonly string[]): Promise<string> {
    const reference = this.newReference();
    const build = spawn("docker", ["build", "--quiet", "--tag", reference, "-"], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    build.stdin.end(["FROM dockhost/instance:latest", ...lines].join("\n"));
    const [code] = (await once(build, "close")) as [number | null];
    if (code !== 0) throw new Error(`docker build of ${lines.join("; ")} ended with ${String(code)}`);
    return reference;
  }

  /** Likewise, for the registry at `address` and for nowhere else: a container of it has to pull it. */
  async push(address: string, ...lines: readonly string[]): Promise<string> {
    const built = await this.build(...lines);
    const reference = this.newReference(`${address}/dockhost-test`);
    await docker("tag", built, reference);
    await docker("push", "--quiet", reference);
    await docker("image", "rm", "--force", reference, built);
    return reference;
  }

  /** A name that is removed at the end, if an image bears it by then. */
  newReference(repository = "dockhost-test"): string {
    const reference = `${repository}/${randomBytes(4).toString("hex")}:latest`;
    this.#references.push(reference);
    return reference;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reference of this.#references) await docker("image", "rm", "--force", reference).catch(() => undefined);
  }
}
