import { createHash, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import type { BackendStatus, CommandName, Container, ErrorCode, Report, ReportName } from "@dockhost/protocol";
import { io, type Socket } from "socket.io-client";
import { onTestFinished } from "vitest";

interface CommandRequest {
  username: string;
  operationId: string;
  sshPublicKey?: string;
  sshPublicKeys?: string[];
  draining?: boolean;
}

/** What it replies to a command, at once or as a promise; undefined: nothing at all. */
type Script = (request: CommandRequest) => unknown;

export interface FakeBackendOptions {
  agentId?: string;
  status?: Partial<BackendStatus>;
}

/** The far end: a real Socket.IO client that keeps the wire contract, unless a test scripts it otherwise. */
export class FakeBackend {
  readonly socket: Socket;
  readonly agentId: string;
  readonly containers = new Map<string, Container>();
  readonly received: { command: CommandName; request: CommandRequest }[] = [];
  readonly scripts = new Map<CommandName, Script>();
  readonly #created = new Map<string, string>();
  status: BackendStatus;

  constructor(url: string, apiKey: string, options: FakeBackendOptions = {}) {
    this.agentId = options.agentId ?? randomUUID();
    this.status = { ...statusOf(), ...options.status };
    const auth = { DOCKHOST_API_KEY: apiKey, protocol: 1, version: "3.0.0", agentId: this.agentId };
    const speed = { reconnectionDelay: 20, reconnectionDelayMax: 50, forceNew: true };
    this.socket = io(url, {
      auth,
      query: { role: "backend" },
      transports: ["websocket"],
      autoConnect: false,
      ...speed,
    });
    for (const command of Object.keys(this.#rules) as CommandName[]) this.#serve(command);
    this.socket.on("connect", () => this.reportAll());
    onTestFinished(() => void this.socket.close());
  }

  /** Resolves once connected, rejects with the server's refusal. */
  connect(): Promise<this> {
    const connected = new Promise<this>((resolve, reject) => {
      this.socket.once("connect", () => resolve(this));
      this.socket.once("connect_error", reject);
    });
    this.socket.connect();
    return connected;
  }

  report<Name extends ReportName>(name: Name, report: Report<Name>): void {
    this.socket.emit(name, report);
  }

  reportAll(): void {
    this.report("backend-status", this.status);
    this.report("inventory", { containers: [...this.containers.values()] });
  }

  commands = (command: CommandName) => this.received.filter((one) => one.command === command);

  /** As if its reply had not been scripted. */
  obey(command: CommandName, request: CommandRequest): unknown {
    return this.#rules[command]?.(request);
  }

  #serve(command: CommandName): void {
    this.socket.on(command, (request: CommandRequest, reply: (answer: unknown) => void) => {
      this.received.push({ command, request });
      const script = this.scripts.get(command);
      const answer = script ? script(request) : this.obey(command, request);
      if (answer instanceof Promise) void answer.then(reply);
      else if (answer !== undefined) reply(answer);
    });
  }

  readonly #rules: Partial<Record<CommandName, Script>> = {
    "create-container": ({ username, operationId }) => {
      const there = this.containers.get(username);
      if (there && this.#created.get(operationId) === username) return success(there);
      if (there) return failure("ALREADY_EXISTS", there);
      this.#created.set(operationId, username);
      return success(this.put(username));
    },
    "start-container": ({ username }) => this.#turn(username, "running"),
    "stop-container": ({ username }) => this.#turn(username, "stopped"),
    "delete-container": ({ username }) => {
      const there = this.containers.get(username);
      this.containers.delete(username);
      return success({ existed: !!there, containerId: there?.containerId ?? null, ports: there?.ports ?? null });
    },
    "set-ssh-keys": ({ username }) => {
      const there = this.containers.get(username);
      return there ? success(there) : failure("NOT_FOUND");
    },
    "set-draining": ({ draining = false }) => {
      this.status = { ...this.status, draining };
      this.report("backend-status", this.status);
      return success({ draining });
    },
    "open-stream": () => failure("INTERNAL"),
    "list-containers": ({ username }: Partial<CommandRequest>) =>
      success({
        containers: [...this.containers.values()].filter((one) => (username ?? one.username) === one.username),
      }),
  };

  #turn(username: string, state: Container["state"]): unknown {
    const there = this.containers.get(username);
    return there ? success(this.put(username, { ...there, state })) : failure("NOT_FOUND");
  }

  put(username: string, changes: Partial<Container> = {}): Container {
    const container = { ...containerOf(username, this.containers.size), ...changes };
    this.containers.set(username, container);
    return container;
  }
}

/** One that is connected. */
export const connectBackend = (url: string, apiKey: string, options?: FakeBackendOptions): Promise<FakeBackend> =>
  new FakeBackend(url, apiKey, options).connect();

export const success = (data: unknown) => ({ success: true, message: "Done.", data });

export const failure = (code: ErrorCode, data: unknown = null) => ({
  success: false,
  message: `It failed with ${code}.`,
  data,
  error: { code, retryable: false },
});

export function containerOf(username: string, nth = 0): Container {
  const ssh = 1024 + 3 * nth;
  return {
    containerId: randomBytes(32).toString("hex"),
    username,
    state: "running",
    ports: { ssh, http: ssh + 1, https: ssh + 2 },
    image: "dockhost/instance",
    createdAt: new Date().toISOString(),
    ssh: { user: "root", ...hostKeyOf(username) },
  };
}

/** Always the same for the same `name`. */
export function hostKeyOf(name: string) {
  const blob = ed25519Blob(createHash("sha256").update(name).digest());
  const fingerprint = createHash("sha256").update(blob).digest("base64").slice(0, 43);
  return { hostKeyFingerprint: `SHA256:${fingerprint}`, hostKey: `ssh-ed25519 ${blob.toString("base64")}` };
}

export const statusOf = (): BackendStatus => ({
  protocol: 1,
  version: "3.0.0",
  hostname: "far-end",
  addresses: ["192.0.2.7"],
  docker: { reachable: true, version: "20.10.24" },
  capacity: {
    maxContainers: 50,
    comfortableContainers: 8,
    cpus: 4,
    memoryMiB: 8192,
    diskQuotaEnforced: false,
    egress: "internet",
    egressEnforced: false,
  },
  usage: { containers: 0, running: 0, memoryAvailableMiB: 6000, diskFreeMiB: 50_000 },
  draining: false,
});

/** A new ed25519 key, as the line of its .pub file. */
export function sshPublicKey(): string {
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  return `ssh-ed25519 ${ed25519Blob(Buffer.from(x, "base64url")).toString("base64")} someone@somewhere`;
}

const ed25519Blob = (key: Buffer): Buffer => Buffer.concat([sshString(Buffer.from("ssh-ed25519")), sshString(key)]);

function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
