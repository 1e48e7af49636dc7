import { createInterface } from "node:readline";
import { DockerApi, DockerApiError, type EngineAddress } from "./docker-api.ts";
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

/** Begins the comment of each image that is made of a container here. */
const COMMITTED = "committed by DockHost as ";

/** How long a removal that another has begun may take, ms. */
const OTHERS_REMOVAL_MS = 20_000;

/** The Docker Engine in our own types, by its HTTP API. */
export class DockerEngine implements Engine {
  readonly #api: DockerApi;
  readonly #bridges: DockerBridges;

  constructor(address: EngineAddress) {
    this.#api = new DockerApi(address);
    this.#bridges = new DockerBridges(this.#api);
  }

  async info(): Promise<EngineInfo> {
    const [version, info, startId] = await Promise.all([
      repeatable("version", () => this.#api.call<{ Version: string }>("GET", "/version")),
      repeatable("info", () => this.#api.call<DockerInfo>("GET", "/info")),
      this.#bridges.idOfDefault(),
    ]);
    return {
      version: version.Version,
      // It is made anew at each start of the Engine, but for one that lets its containers live on.
      startId: info.LiveRestoreEnabled ? undefined : startId,
      rootDirectory: info.DockerRootDir,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      runtimes: Object.keys(info.Runtimes),
    };
  }

  async list(labels: readonly string[]): Promise<ContainerSummary[]> {
    const query = { all: true, filters: { label: labels } };
    const found = await repeatable("list", () => this.#api.call<DockerListed[]>("GET", "/containers/json", { query }));
    return found.map((container) => ({
      id: container.Id,
      name: withoutSlash(container.Names[0] ?? ""),
      state: container.State,
      image: container.Image,
      createdAt: new Date(container.Created * 1000),
      labels: container.Labels,
    }));
  }

  async inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    const path = `${container(idOrName)}/json`;
    const found = await unlessNotFound(repeatable("inspect", () => this.#api.call<DockerContainer>("GET", path)));
    return (
      found && {
        id: found.Id,
        name: withoutSlash(found.Name),
        state: found.State.Status,
        image: found.Config.Image,
        createdAt: new Date(found.Created),
        labels: found.Config.Labels,
        exitCode: found.State.ExitCode,
        oomKilled: found.State.OOMKilled,
        restartCount: found.RestartCount,
        startedAt: found.State.StartedAt,
        hasVolumes: found.Mounts.some(({ Type }) => Type === "volume"),
      }
    );
  }

  async create(name: string, spec: ContainerSpec): Promise<string> {
    const options = { query: { name }, body: createOptions(spec) };
    const { Id } = await once("create", () => this.#api.call<{ Id: string }>("POST", "/containers/create", options));
    return Id;
  }

  async start(id: string): Promise<void> {
    await repeatable("start", () => unlessNotModified(this.#api.call("POST", `${container(id)}/start`)));
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const query = { t: graceSeconds };
    await repeatable("stop", () => unlessNotModified(this.#api.call("POST", `${container(id)}/stop`, { query })));
  }

  async remove(id: string): Promise<void> {
    await unlessNotFound(repeatable("remove", () => this.#removeOrWait(id)));
  }

  async rename(id: string, name: string): Promise<void> {
    await once("rename", () => this.#api.call("POST", `${container(id)}/rename`, { query: { name } }));
  }

  async update(id: string, limits: ContainerLimits): Promise<void> {
    const body = limitOptions(limits);
    await repeatable("update", () => this.#api.call("POST", `${container(id)}/update`, { body }));
  }

  async commit(id: string, reference: string): Promise<void> {
    const [repo, tag] = reference.split(":");
    const query = { container: id, repo, tag, comment: COMMITTED + reference };
    // Never twice: the second image would take the name from the first, which nobody would find to remove.
    await once("commit", () => this.#api.call("POST", "/commit", { query }));
  }

  async imageNames(label: string): Promise<string[]> {
    const query = { filters: { label: [label] } };
    const found = await repeatable("images", () => this.#api.call<DockerImage[]>("GET", "/images/json", { query }));
    const names = await Promise.all(
      found.map(async ({ Id, RepoTags }) => {
        const given = namesAmong(RepoTags);
        return given.length > 0 || !(await this.#isCommitted(Id)) ? given : [Id];
      }),
    );
    return names.flat();
  }

  async removeImage(reference: string): Promise<void> {
    await unlessNotFound(repeatable("remove image", () => this.#api.call("DELETE", image(reference))));
  }

  async logTail(id: string, lines: number): Promise<string> {
    const query = { stdout: true, stderr: true, tail: lines };
    const log = await repeatable("logs", () => this.#api.bytes("GET", `${container(id)}/logs`, { query }));
    return withoutFrames(log);
  }

  async image(reference: string): Promise<EngineImage | undefined> {
    const found = await this.#inspectImage(reference);
    return found && { id: found.Id, labels: labelsOf(found.Config) };
  }

  async pull(reference: string, onBytes: (current: number, total: number) => void, signal: AbortSignal): Promise<void> {
    await once("pull", async () => {
      const query = { fromImage: reference };
      const stream = await this.#api.stream("POST", "/images/create", { query, signal });
      try {
        await pullProgress(createInterface({ input: stream }), onBytes);
      } finally {
        stream.destroy();
      }
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
    const query = { filters: { type: ["container"], label: [label], event: FOLLOWED_ACTIONS } };
    const stream = await once("events", () => this.#api.stream("GET", "/events", { query, signal }));
    const follow = async (): Promise<void> => {
      for await (const line of createInterface({ input: stream })) onEvent(containerEvent(line));
    };
    return { ended: once("event stream", follow) };
  }

  /** A removal that somebody else has begun is refused to all others: they wait for its end. */
  async #removeOrWait(id: string): Promise<void> {
    try {
      await this.#api.call("DELETE", container(id), { query: { force: true, v: true } });
    } catch (error) {
      const isBegun = error instanceof DockerApiError && error.status === 409;
      if (!isBegun || !error.message.includes("already in progress")) throw error;
      const signal = AbortSignal.timeout(OTHERS_REMOVAL_MS);
      await this.#api.call("POST", `${container(id)}/wait`, { query: { condition: "removed" }, signal });
    }
  }

  /** A person who commits a container by hand makes an image with the same labels, and it is theirs. */
  async #isCommitted(imageId: string): Promise<boolean> {
    return (await this.#inspectImage(imageId))?.Comment.startsWith(COMMITTED) ?? false;
  }

  async #inspectImage(reference: string): Promise<DockerImageDetail | undefined> {
    const path = `${image(reference)}/json`;
    return unlessNotFound(repeatable("image", () => this.#api.call<DockerImageDetail>("GET", path)));
  }
}

const FOLLOWED_ACTIONS = [
  ...["create", "start", "die", "stop", "oom", "destroy"],
  ...["rename", "pause", "unpause"],
] as const;

interface DockerInfo {
  DockerRootDir: string;
  NCPU: number;
  MemTotal: number;
  LiveRestoreEnabled: boolean;
  Runtimes: Record<string, unknown>;
}

interface DockerListed {
  Id: string;
  Names: string[];
  State: EngineState;
  Image: string;
  /** Unix time, s. */
  Created: number;
  Labels: Record<string, string>;
}

interface DockerContainer {
  Id: string;
  Name: string;
  Created: string;
  RestartCount: number;
  State: { Status: EngineState; ExitCode: number; OOMKilled: boolean; StartedAt: string };
  Config: { Image: string; Labels: Record<string, string> };
  Mounts: { Type: string }[];
}

interface DockerImage {
  Id: string;
  RepoTags: string[] | null;
}

interface DockerImageDetail {
  Id: string;
  Comment: string;
  Config: { Labels?: Record<string, string> | null };
}

const container = (idOrName: string): string => `/containers/${encodeURIComponent(idOrName)}`;

/** A reference is a path of its own, whose slashes the Engine wants as they are. */
const image = (reference: string): string => `/images/${reference}`;

const withoutSlash = (name: string): string => (name.startsWith("/") ? name.slice(1) : name);

/** One without a name carries `<none>:<none>` in its place, or nothing. */
const namesAmong = (tags: readonly string[] | null): string[] => (tags ?? []).filter((tag) => tag !== "<none>:<none>");

/** An image without labels carries null in place of them. */
const labelsOf = (config: DockerImageDetail["Config"]): Record<string, string> => config.Labels ?? {};

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
