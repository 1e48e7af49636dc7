import { randomBytes } from "node:crypto";
import ssh2, { type Server } from "ssh2";
import {
  EngineError,
  type ContainerDetail,
  type ContainerEvent,
  type ContainerLimits,
  type ContainerSpec,
  type ContainerSummary,
  type Engine,
  type EngineImage,
  type EngineInfo,
} from "../src/engine/engine.ts";

interface DoubledContainer extends ContainerDetail {
  spec: ContainerSpec;
  hostKey: string;
  sshServer: Server | undefined;
}

const IMAGES: Readonly<Record<string, EngineImage>> = {
  "dockhost/instance:latest": { id: "sha256:own", labels: { "dockhost.keys": "/etc/dockhost/keys" } },
};

/**
 * A Docker Engine in memory, as the far end of what talks to one: names are unique, ports are really bound, and behind
 * each running container's first port a real SSH server answers with a host key of its own.
 */
export class EngineDouble implements Engine {
  readonly containers = new Map<string, DoubledContainer>();
  readonly images = new Map<string, EngineImage>(Object.entries(IMAGES));
  readonly calls: string[] = [];
  /** A busy Engine tells its events late, ms. */
  eventDelayMs = 0;
  readonly #followers = new Set<(event: ContainerEvent) => void>();
  readonly #bridges = new Set<string>();
  readonly #endings = new Set<(error?: Error) => void>();
  #away = false;
  #starts = 1;
  #frozen: string | undefined;
  #lost: string | undefined;
  #thawed: Promise<void> = Promise.resolve();
  #thaw: () => void = () => undefined;

  /** Takes calls (only those named `call`, where it is given) and answers none until it thaws, when it carries them out. */
  freeze(call?: string): void {
    this.#frozen = call;
    this.#thawed = new Promise((resolve) => (this.#thaw = resolve));
  }

  thaw(): void {
    this.#thaw();
  }

  /** The next call of that name is answered by a broken connection, and carried out all the same, a little later. */
  loseReplyOf(call: string): void {
    this.#lost = call;
  }

  get followers(): number {
    return this.#followers.size;
  }

  /** Stops answering, as a daemon that is down; running containers go on. */
  goAway(): void {
    this.#away = true;
    for (const end of this.#endings) end();
  }

  /** Breaks every stream of events, as a connection that is cut. */
  breakEvents(): void {
    for (const end of this.#endings) end(new Error("aborted"));
  }

  comeBack(): void {
    this.#away = false;
    this.#starts += 1;
  }

  info(): Promise<EngineInfo> {
    return this.#answer("info", () => ({
      version: "0.0-double",
      startId: `start ${this.#starts}`,
      rootDirectory: "/",
      cpus: 2,
      memoryBytes: 8 * 1024 ** 3,
      runtimes: ["runc"],
    }));
  }

  list(labels: readonly string[]): Promise<ContainerSummary[]> {
    return this.#answer("list", () =>
      [...this.containers.values()].filter((one) => bearsAll(one, labels)).map(detailOf),
    );
  }

  inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    return this.#answer("inspect", () => {
      const found = this.#find(idOrName);
      return found && detailOf(found);
    });
  }

  create(name: string, spec: ContainerSpec): Promise<string> {
    return this.#answer("create", () => {
      this.#requireFreeName(name);
      const container: DoubledContainer = {
        id: randomBytes(32).toString("hex"),
        name,
        state: "created",
        image: spec.image,
        createdAt: new Date(),
        labels: spec.labels,
        exitCode: 0,
        oomKilled: false,
        restartCount: 0,
        startedAt: "",
        hasVolumes: false,
        spec,
        hostKey: hostKey(),
        sshServer: undefined,
      };
      this.containers.set(container.id, container);
      this.#tell("create", container);
      return container.id;
    });
  }

  start(id: string): Promise<void> {
    return this.#answer("start", async () => {
      const container = this.#require(id);
      if (container.state === "running") return;
      const { network } = container.spec;
      if (network !== "none" && !this.#bridges.has(network)) {
        throw new EngineError("other", `network ${network} not found`);
      }
      container.sshServer = await listen(container);
      Object.assign(container, { state: "running", exitCode: 0, startedAt: new Date().toISOString() });
      this.#tell("start", container);
    });
  }

  stop(id: string): Promise<void> {
    return this.#answer("stop", async () => {
      const container = this.#require(id);
      if (container.state !== "running") return;
      await silence(container);
      container.state = "exited";
      this.#tell("die", container);
      this.#tell("stop", container);
    });
  }

  /** As when a person kills it: nobody has asked for a stop. */
  async die(id: string): Promise<void> {
    const container = this.#require(id);
    await silence(container);
    Object.assign(container, { state: "exited", exitCode: 137 });
    this.#tell("die", container);
  }

  remove(idOrName: string): Promise<void> {
    return this.#answer("remove", async () => {
      const container = this.#find(idOrName);
      if (!container) return;
      await silence(container);
      this.containers.delete(container.id);
      this.#tell("destroy", container);
    });
  }

  rename(id: string, name: string): Promise<void> {
    return this.#answer("rename", () => {
      this.#requireFreeName(name);
      const container = this.#require(id);
      container.name = name;
      this.#tell("rename", container);
    });
  }

  update(id: string, limits: ContainerLimits): Promise<void> {
    return this.#answer("update", () => void Object.assign(this.#require(id).spec, limits));
  }

  commit(id: string, reference: string): Promise<void> {
    return this.#answer("commit", () => {
      const { spec } = this.#require(id);
      const labels = { ...this.images.get(spec.image)?.labels, ...spec.labels };
      this.images.set(reference, { id: `sha256:${reference}`, labels });
    });
  }

  imageNames(label: string): Promise<string[]> {
    const [key = "", value] = label.split("=", 2);
    return this.#answer("images", () =>
      [...this.images].filter(([, { labels }]) => labels[key] === value).map(([reference]) => reference),
    );
  }

  removeImage(reference: string): Promise<void> {
    return this.#answer("remove image", () => void this.images.delete(reference));
  }

  logTail(): Promise<string> {
    return this.#answer("logs", () => "");
  }

  image(reference: string): Promise<EngineImage | undefined> {
    return this.#answer("image", () => this.images.get(reference));
  }

  pull(reference: string, onBytes: (current: number, total: number) => void): Promise<void> {
    return this.#answer("pull", () => {
      if (!reference.startsWith("pullable/")) throw new EngineError("other", "manifest unknown");
      onBytes(10, 10);
      this.images.set(reference, { id: `sha256:${reference}`, labels: {} });
    });
  }

  bridgeInterface(name: string): Promise<string> {
    return this.#answer("networks", () => name);
  }

  ensureIsolatedBridge(name: string): Promise<void> {
    return this.#answer("network", () => void this.#bridges.add(name));
  }

  events(
    label: string,
    onEvent: (event: ContainerEvent) => void,
    signal: AbortSignal,
  ): Promise<{ ended: Promise<void> }> {
    return this.#answer("events", () => {
      const follower = (event: ContainerEvent): void => {
        if (label in event.labels) onEvent(event);
      };
      this.#followers.add(follower);
      const ended = new Promise<void>((resolve, reject) => {
        this.#endings.add((error) => (error ? reject(error) : resolve()));
        signal.addEventListener("abort", () => resolve());
        if (signal.aborted) resolve();
      });
      return { ended: ended.finally(() => this.#followers.delete(follower)) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.containers.values()].map(silence));
  }

  async #answer<T>(call: string, answer: () => T | Promise<T>): Promise<T> {
    this.calls.push(call);
    await (this.#frozen === undefined || this.#frozen === call ? this.#thawed : undefined);
    if (this.#away) throw new EngineError("unreachable", "connect ECONNREFUSED /var/run/docker.sock");
    if (this.#lost === call) {
      this.#lost = undefined;
      setTimeout(() => void answer(), 50);
      throw new EngineError("unreachable", "read ECONNRESET");
    }
    return answer();
  }

  #find(idOrName: string): DoubledContainer | undefined {
    return this.containers.get(idOrName) ?? [...this.containers.values()].find(({ name }) => name === idOrName);
  }

  #require(id: string): DoubledContainer {
    const found = this.#find(id);
    if (!found) throw new EngineError("not-found", `No such container: ${id}`);
    return found;
  }

  #requireFreeName(name: string): void {
    if (this.#find(name)) throw new EngineError("name-taken", `The name ${name} is already in use by container x`);
  }

  #tell(action: ContainerEvent["action"], { id, name, labels, exitCode }: DoubledContainer): void {
    const tell = (): void => {
      for (const follower of this.#followers) follower({ action, id, name, labels, exitCode });
    };
    if (this.eventDelayMs === 0) tell();
    else setTimeout(tell, this.eventDelayMs);
  }
}

/** ssh2 now and then writes a key that it cannot read itself. */
function hostKey(): string {
  const { private: key } = ssh2.utils.generateKeyPairSync("ed25519");
  return ssh2.utils.parseKey(key) instanceof Error ? hostKey() : key;
}

const bearsAll = ({ labels }: DoubledContainer, wanted: readonly string[]): boolean =>
  wanted.every((label) => {
    const [key = "", value] = label.split("=", 2);
    return key in labels && (value === undefined || labels[key] === value);
  });

function detailOf(container: DoubledContainer): ContainerDetail {
  const { id, name, state, image, createdAt, startedAt, labels, exitCode, oomKilled, restartCount, hasVolumes } =
    container;
  return { id, name, state, image, createdAt, startedAt, labels, exitCode, oomKilled, restartCount, hasVolumes };
}

function listen({ spec, hostKey }: DoubledContainer): Promise<Server | undefined> {
  const port = spec.ports[22];
  if (port === undefined) return Promise.resolve(undefined);
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => client.on("error", () => undefined));
  return new Promise((resolve, reject) => {
    server.once("error", () => reject(new EngineError("port-taken", `Bind for 0.0.0.0:${port} failed`, { port })));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

async function silence(container: DoubledContainer): Promise<void> {
  const { sshServer } = container;
  container.sshServer = undefined;
  if (sshServer) await new Promise<void>((resolve) => sshServer.close(() => resolve()));
}
