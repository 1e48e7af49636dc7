import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { inBatches } from "./batch.ts";
import { EngineApi } from "./ways/engine-api.ts";

/** On a disk, as a backend's data is: what is synced to memory costs nothing. */
const PARENT = "/var/tmp";
const REMOVED_AT_ONCE = 8;

/**
 * Where one run of the bench works. However the run ends, the containers that bear its label or its backend's are
 * removed, and then the directory; nothing else is touched.
 */
export class Workplace implements AsyncDisposable {
  readonly directory: string;
  readonly engine: EngineApi;
  readonly label = { name: "dockhost.bench", value: randomUUID() };

  private constructor(directory: string, engine: EngineApi) {
    this.directory = directory;
    this.engine = engine;
  }

  static async open(socketPath: string): Promise<Workplace> {
    const directory = await mkdtemp(join(PARENT, "dockhost-bench-"));
    return new Workplace(directory, new EngineApi(socketPath));
  }

  /** A directory of that name inside. */
  async make(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** The label of every container that the backend of the directory `name` made. */
  async backendLabel(name: string): Promise<string | undefined> {
    const id = await readFile(join(this.directory, name, "data", "backend.id"), "utf8").catch(() => undefined);
    return id && `dockhost.backend=${id.trim()}`;
  }

  /** Back to where it began. */
  async clear(): Promise<void> {
    await this.#removeContainers();
    await rm(join(this.directory, BACKEND_HOME), { recursive: true, force: true });
  }

  async #removeContainers(): Promise<void> {
    const ours = [`${this.label.name}=${this.label.value}`, await this.backendLabel(BACKEND_HOME)];
    for (const label of ours) {
      const containers = label === undefined ? [] : await this.engine.list([label]);
      await inBatches(containers, REMOVED_AT_ONCE, ({ Id }) => this.engine.remove(Id));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeContainers();
    this.engine[Symbol.dispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The one backend of the bench lives here, in each of its starts. */
export const BACKEND_HOME = "backend";
