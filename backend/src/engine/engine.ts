/**
 * The calls that DockHost makes to a container engine, in its own types. Every method rejects with an
 * {@link EngineError} and nothing else.
 */
export interface Engine {
  info(): Promise<EngineInfo>;

  /** Containers in any state that bear all of `labels` (`key` or `key=value`). */
  list(labels: readonly string[]): Promise<ContainerSummary[]>;
  inspect(idOrName: string): Promise<ContainerDetail | undefined>;
  /** Creates without starting; answers the container's id. */
  create(name: string, spec: ContainerSpec): Promise<string>;
  /** Already running is success. */
  start(id: string): Promise<void>;
  /** Already stopped is success. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Kills where needed; already gone is success. */
  remove(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Sets limits of a container, running or not; swap stays within memory. */
  update(id: string, limits: ContainerLimits): Promise<void>;
  /** Makes an image of a container's files and settings; `reference` is `name:tag`. */
  commit(id: string, reference: string): Promise<void>;
  /**
   * The names of the images that bear `label` (`key=value`); a committed one has the labels of its container. One that
   * `commit` has made and that has no name, since the Engine died before it got it, is told by its id (`sha256:…`).
   */
  imageNames(label: string): Promise<string[]>;
  /** Takes the name from an image and frees what nothing else needs; already gone is success. */
  removeImage(reference: string): Promise<void>;
  /** The last `lines` of what the container wrote. */
  logTail(id: string, lines: number): Promise<string>;

  image(reference: string): Promise<EngineImage | undefined>;
  /** Pulls `reference`, which names a tag or a digest; `onBytes` hears how much of the download is done, in bytes. */
  pull(reference: string, onBytes: (current: number, total: number) => void, signal: AbortSignal): Promise<void>;

  /** Makes the bridge `name` with traffic between its containers off; refuses one that allows it. */
  ensureIsolatedBridge(name: string): Promise<void>;
  /** The interface of the bridge `name` on the Engine's machine: the one that it has, or will get where it is yet to be made. */
  bridgeInterface(name: string): Promise<string>;

  /**
   * Follows the events of containers with `label`. Resolves once subscribed; `ended` settles when the Engine's stream
   * ends, and rejects when `signal` aborts.
   */
  events(
    label: string,
    onEvent: (event: ContainerEvent) => void,
    signal: AbortSignal,
  ): Promise<{ ended: Promise<void> }>;
}

export interface EngineInfo {
  version: string;
  /** Another one with each start of the Engine; undefined where that cannot be told. */
  startId: string | undefined;
  /** Where the Engine keeps its data, on the Engine's machine. */
  rootDirectory: string;
  cpus: number;
  memoryBytes: number;
  runtimes: string[];
}

export type EngineState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export interface ContainerSummary {
  id: string;
  name: string;
  state: EngineState;
  image: string;
  createdAt: Date;
  labels: Readonly<Record<string, string>>;
}

export interface ContainerDetail extends ContainerSummary {
  exitCode: number;
  oomKilled: boolean;
  restartCount: number;
  /** As the Engine writes it: another one with each start. */
  startedAt: string;
  /** Some of its files lie outside itself, where a commit does not reach them. */
  hasVolumes: boolean;
}

export interface EngineImage {
  id: string;
  labels: Readonly<Record<string, string>>;
}

export interface ContainerLimits {
  memoryBytes: number;
  cpus: number;
  pids: number;
}

/** Everything the Engine needs to make a container. */
export interface ContainerSpec extends ContainerLimits {
  image: string;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  environment: Readonly<Record<string, string>>;
  /** Host directory → read-only directory of the container; the host directory must exist. */
  readOnlyMounts: readonly { source: string; target: string }[];
  network: string;
  bindAddress: string;
  /** Container port (TCP) → host port. */
  ports: Readonly<Record<number, number>>;
  capabilities: readonly string[];
  cpuShares: number;
  shmBytes: number;
  oomScoreAdjustment: number;
  /** Undefined: as the Engine's own limit. */
  openFiles: number | undefined;
  /** Undefined: no quota. */
  diskBytes: number | undefined;
  runtime: string | undefined;
}

export interface ContainerEvent {
  action: "create" | "start" | "die" | "stop" | "oom" | "destroy" | "rename" | "pause" | "unpause";
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  exitCode: number | undefined;
}

/**
 * `unreachable`: nobody answers at the Engine's address. `timed-out`: no answer yet; the call may still be carried out.
 * `port-taken`: a host port could not be bound. `directory-left`: of an earlier start of that container, which was cut off.
 * `limit-refused`: an open-files limit above the Engine's own. `quota-unsupported`: this storage driver takes no disk
 * quota. `quota-too-small`: the image alone passes it.
 */
type EngineErrorKind =
  | "unreachable"
  | "timed-out"
  | "not-found"
  | "name-taken"
  | "port-taken"
  | "directory-left"
  | "limit-refused"
  | "quota-unsupported"
  | "quota-too-small"
  | "disk-full"
  | "other";

interface EngineErrorOptions {
  cause?: unknown;
  port?: number | undefined;
  directory?: string | undefined;
}

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: EngineErrorKind;
  /** The host port that was taken, where the Engine told. */
  readonly port: number | undefined;
  /** The directory that is left, on the Engine's machine. */
  readonly directory: string | undefined;

  constructor(kind: EngineErrorKind, message: string, options: EngineErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.port = options.port;
    this.directory = options.directory;
  }
}
