import { createInterface } from "node:readline";
import Docker from "dockerode";
import { DockerBridges } from "./docker-bridges.ts";
import { once, repeatable, unlessNotFound, unlessNotModified } from "./docker-calls.ts";
import { createOptions, limitOptions } from "./docker-create-options.ts";
import {
  type ContainerDetail,
  type ContainerEvent,
  type ContainerLimits,
  type ContainerSpec,
  type ContainerSummary,
  type Engine,
  type EngineImage,
  type EngineInfo,
  type EngineState,
} from "./engine.ts";
import { pullProgress } from "./pull-progress.ts";

export type EngineAddress =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: boolean };

/** Begins the comment of each image that is made of a container here. */
const COMMITTED = "committed by DockHost as ";

/** How long a removal that another has begun may take, ms. */
const OTHERS_REMOVAL_MS = 20_000;

/** The Docker Engine API through dockerode; the only place that knows either. */
export class DockerEngine implements Engine {
  readonly #docker: Docker;
  readonly #bridges: DockerBridges;

  constructor(address: EngineAddress) {
    // dockerode would let DOCKER_HOST win over what it is given here; the address is decided by our configuration.
    this.#docker =
      address.kind === "unix"
        ? new Docker({ host: undefined, socketPath: address.socketPath })
        : new Docker({ host: address.host, port: address.port, ...(address.tls && { protocol: "https" }) });
    this.#bridges = new DockerBridges(this.#docker);
  }

  async info(): Promise<EngineInfo> {
    const [version, info] = await repeatable("info", () => Promise.all([this.#docker.version(), infoOf(this.#docker)]));
    return {
      version: version.Version,
      rootDirectory: info.DockerRootDir,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      runtimes: Object.keys(info.Runtimes),
    };
  }

  async list(labels: readonly string[]): Promise<ContainerSummary[]> {
    const filters = { label: [...labels] };
    const found = await repeatable("list", () => this.#docker.listContainers({ all: true, filters }));
    return found.map((container) => ({
      id: container.Id,
      name: withoutSlash(container.Names[0] ?? ""),
      state: container.State as EngineState,
      image: container.Image,
      createdAt: new Date(container.Created * 1000),
      labels: container.Labels,
    }));
  }

  async inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    const container = this.#docker.getContainer(idOrName);
    const found = await unlessNotFound(repeatable("inspect", () => container.inspect()));
    return (
      found && {
        id: found.Id,
        name: withoutSlash(found.Name),
        state: found.State.Status as EngineState,
        image: found.Config.Image,
        createdAt: new Date(found.Created),
        labels: found.Config.Labels,
        exitCode: found.State.ExitCode,
        oomKilled: found.State.OOMKilled,
        restartCount: found.RestartCount,
        hasVolumes: found.Mounts.some(({ Type }) => Type === "volume"),
      }
    );
  }

  async create(name: string, spec: ContainerSpec): Promise<string> {
    const container = await once("create", () => this.#docker.createContainer(createOptions(name, spec)));
    return container.id;
  }

  async start(id: string): Promise<void> {
    await repeatable("start", () => unlessNotModified(this.#docker.getContainer(id).start()));
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    await repeatable("stop", () => unlessNotModified(this.#docker.getContainer(id).stop({ t: graceSeconds })));
  }

  async remove(id: string): Promise<void> {
    const container = this.#docker.getContainer(id);
    const options = { force: true, v: true };
    await unlessNotFound(repeatable("remove", () => untilRemoved(container, container.remove(options))));
  }

  async rename(id: string, name: string): Promise<void> {
    await once("rename", () => this.#docker.getContainer(id).rename({ name }));
  }

  async update(id: string, limits: ContainerLimits): Promise<void> {
    await repeatable("update", () => this.#docker.getContainer(id).update(limitOptions(limits)));
  }

  async commit(id: string, reference: string): Promise<void> {
    const [repo, tag] = reference.split(":");
    // Never twice: the second image would take the name from the first, which nobody would find to remove.
    await once("commit", () => this.#docker.getContainer(id).commit({ repo, tag, comment: COMMITTED + reference }));
  }

  async imageNames(label: string): Promise<string[]> {
    const filters = JSON.stringify({ label: [label] });
    const found = await repeatable("images", () => this.#docker.listImages({ filters }));
    const names = await Promise.all(
      found.map(async ({ Id, RepoTags }) => {
        const given = namesAmong(RepoTags as string[] | null);
        return given.length > 0 || !(await this.#isCommitted(Id)) ? given : [Id];
      }),
    );
    return names.flat();
  }

  /** A person who commits a container by hand makes an image with the same labels, and it is theirs. */
  async #isCommitted(imageId: string): Promise<boolean> {
    const image = this.#docker.getImage(imageId);
    const found = await unlessNotFound(repeatable("image", () => image.inspect()));
    return found?.Comment.startsWith(COMMITTED) ?? false;
  }

  async removeImage(reference: string): Promise<void> {
    await unlessNotFound(repeatable("remove image", () => this.#docker.getImage(reference).remove()));
  }

  async logTail(id: string, lines: number): Promise<string> {
    const options = { stdout: true, stderr: true, tail: lines, follow: false } as const;
    return withoutFrames(await repeatable("logs", () => this.#docker.getContainer(id).logs(options)));
  }

  async image(reference: string): Promise<EngineImage | undefined> {
    const found = await unlessNotFound(repeatable("image", () => this.#docker.getImage(reference).inspect()));
    return found && { id: found.Id, labels: labelsOf(found.Config) };
  }

  async pull(reference: string, onBytes: (current: number, total: number) => void, signal: AbortSignal): Promise<void> {
    await once("pull", async () => {
      const stream = await this.#docker.pull(reference, { abortSignal: signal });
      await pullProgress(createInterface({ input: stream }), onBytes);
    });
  }

  async ensureIsolatedBridge(name: string): Promise<void> {
    await this.#bridges.ensure(name);
  }

  async bridgeInterface(name: string): Promise<string> {
    return this.#bridges.interfaceOf(name);
  }

  async events(
    label: string,
    onEvent: (event: ContainerEvent) => void,
    signal: AbortSignal,
  ): Promise<{ ended: Promise<void> }> {
    const filters = { type: ["container" as const], label: [label], event: [...FOLLOWED_ACTIONS] };
    const stream = await once("events", () => this.#docker.getEvents({ filters, abortSignal: signal }));
    const follow = async (): Promise<void> => {
      for await (const line of createInterface({ input: stream })) onEvent(containerEvent(line));
    };
    return { ended: once("event stream", follow) };
  }
}

const FOLLOWED_ACTIONS = ["create", "start", "die", "stop", "oom", "destroy"] as const;

/** A removal that somebody else has begun is refused to all others: they wait for its end. */
async function untilRemoved(container: Docker.Container, removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    if (statusCode !== 409 || !message.includes("already in progress")) throw error;
    await container.wait({ condition: "removed", abortSignal: AbortSignal.timeout(OTHERS_REMOVAL_MS) });
  }
}

/** One without a name carries `<none>:<none>` in its place, or nothing. */
const namesAmong = (tags: readonly string[] | null): string[] => (tags ?? []).filter((tag) => tag !== "<none>:<none>");

interface DockerInfo {
  DockerRootDir: string;
  NCPU: number;
  MemTotal: number;
  Runtimes: Record<string, unknown>;
}

/** dockerode leaves the shape of this answer open. */
const infoOf = (docker: Docker): Promise<DockerInfo> => docker.info() as Promise<DockerInfo>;

const withoutSlash = (name: string): string => (name.startsWith("/") ? name.slice(1) : name);

/** An image without labels carries null in place of them. */
const labelsOf = (config: { Labels?: Record<string, string> | null }): Record<string, string> => config.Labels ?? {};

/** The Engine puts an 8-byte head before each piece of a log: stream number and, from byte 4, its length. */
function withoutFrames(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length;) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces).toString("utf8");
}

interface DockerEvent {
  Action: ContainerEvent["action"];
  Actor: { ID: string; Attributes: Record<string, string> };
}

function containerEvent(line: string): ContainerEvent {
  const { Action, Actor } = JSON.parse(line) as DockerEvent;
  const { name = "", exitCode, ...labels } = Actor.Attributes;
  return {
    action: Action,
    id: Actor.ID,
    name,
    labels,
    exitCode: exitCode === undefined ? undefined : Number(exitCode),
  };
}
