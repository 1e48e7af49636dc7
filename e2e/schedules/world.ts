import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseReply, type CommandInput, type CommandName, type Reply } from "@dockhost/protocol";
import type { BackendConnection } from "../support/backend-connection.ts";
import type { BackendProcess } from "../support/backend-process.ts";
import type { Outcome } from "../support/docker-cli.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { MainServerDouble } from "../support/main-server-double.ts";
import { PrivateEngine } from "../support/private-engine.ts";
import { Site } from "../support/site.ts";
import { SshUser, type KeyPair } from "../support/ssh.ts";
import { Evidence } from "./evidence.ts";
import { Excuses } from "./excuses.ts";
import type { Seen } from "./histories.ts";
import { Ruin } from "./ruin.ts";

const FIRST_PORT = 20_000;
const LAST_PORT = 20_089;

/** So a half-open connection is noticed within the time of a step, ms. */
const PING = { pingInterval: 300, pingTimeout: 900 };

/** How long a command waits for a connection before it counts as not sent, ms. */
const CONNECT_MS = 1_500;

/** The contract's deadlines, and as much again as a busy machine may be late, ms. */
const DEADLINE_MS: Record<CommandName, number> = {
  "create-container": 45_000,
  "start-container": 30_000,
  "stop-container": 30_000,
  "delete-container": 30_000,
  "list-containers": 5_000,
  "set-ssh-keys": 30_000,
  "set-draining": 5_000,
  "open-stream": 20_000,
};
const LATE_MS = 10_000;
/** A machine that stands still for longer than a ping may take costs a connection, without any fault, ms. */
const INSISTS_MS = 30_000;

/** One machine with a Docker Engine, a backend, its main server, and everything between them that can fail. */
export class World implements AsyncDisposable {
  readonly machine: PrivateEngine;
  readonly site: Site;
  readonly toEngine: FaultProxy;
  readonly toServer: FaultProxy;
  readonly person: SshUser;
  readonly keys: ReadonlyMap<string, KeyPair>;
  readonly firstPort = FIRST_PORT;
  readonly evidence: Evidence;
  readonly excuses = new Excuses();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #thieves = new Map<number, ChildProcess>();
  #backend: BackendProcess | undefined;
  /** Since the beginning of the schedule. */
  #backends: BackendProcess[] = [];

  private constructor(parts: Pick<World, "machine" | "site" | "toEngine" | "toServer" | "person" | "keys">) {
    this.machine = parts.machine;
    this.site = parts.site;
    this.toEngine = parts.toEngine;
    this.toServer = parts.toServer;
    this.person = parts.person;
    this.keys = parts.keys;
    this.evidence = new Evidence(parts.machine, parts.site);
  }

  static async open(): Promise<World> {
    const machine = await PrivateEngine.open();
    const { gateway } = machine.namespace;
    const { socketPath } = machine;
    const toEngine = await FaultProxy.open(`${socketPath}.proxy`, socketPath);
    const server = await MainServerDouble.listen(PING);
    const toServer = await FaultProxy.open({ host: gateway, port: 0 }, { host: "127.0.0.1", port: server.port });
    const environment = {
      DOCKER_HOST: `unix://${socketPath}.proxy`,
      DOCKHOST_PORT_RANGE: `${FIRST_PORT}-${LAST_PORT}`,
      DOCKHOST_WARM_POOL: "1",
      MAIN_SERVER_BACKEND_URL: `http://${gateway}:${toServer.port}`,
      LOG_LEVEL: "debug",
      DEBUG: "dockhost:*",
    };
    const site = await Site.prepare({ environment, machine });
    await site.server[Symbol.asyncDispose]();
    site.server = server;
    const person = await SshUser.arrive(machine.address);
    const names = ["red", "green", "blue"];
    const keys = new Map(await Promise.all(names.map(async (name) => [name, await person.newKey(name)] as const)));
    const world = new World({ machine, site, toEngine, toServer, person, keys });
    world.startBackend();
    await world.answers();
    return world;
  }

  key(name: string): KeyPair {
    const key = this.keys.get(name);
    if (!key) throw new Error(`nobody has the key ${name}`);
    return key;
  }

  startBackend(): void {
    if (this.#backend) return;
    this.#backend = this.site.start();
    this.#backends.push(this.#backend);
  }

  /** Ends it; throws where it does not end as it promises. */
  async endBackend(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const backend = this.#backend;
    this.#backend = undefined;
    if (!backend) return;
    const tooLate = delay(12_000, undefined, { ref: false });
    const end = await Promise.race([backend.end(signal), tooLate]);
    if (!end) await backend.end("SIGKILL");
    // Before its first line it is not there yet to hear the signal.
    const wasBorn = backend.output !== "";
    if (signal === "SIGTERM" && wasBorn && end?.code !== 0) {
      throw new Ruin("hung", `SIGTERM did not end the backend with exit code 0 within 12 s: ${JSON.stringify(end)}`);
    }
  }

  async restartServer(): Promise<void> {
    const { port } = this.site.server;
    await this.site.server[Symbol.asyncDispose]();
    this.site.server = await MainServerDouble.listen({ port, ...PING });
  }

  /** Only one at a time does something to `what`. */
  async inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(what) ?? Promise.resolve();
    const turn = before.then(work);
    this.#turns.set(
      what,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** Holds a port of the machine as any process might; where it is taken already nothing happens. */
  async steal(port: number): Promise<void> {
    const script = `require("node:net").createServer().listen(${port}, "0.0.0.0", () => console.log("held"))`;
    const [program = "nsenter", ...args] = this.machine.namespace.inside;
    const thief = spawn(program, [...args, process.execPath, "--eval", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await Promise.race([once(thief.stdout, "data"), once(thief, "close")]);
    if (thief.exitCode !== null) return;
    this.#thieves.set(port, thief);
    this.excuses.noteTheft(port);
  }

  /** The backend's reply; undefined where the connection, or the backend, has ended before. Throws where it hangs. */
  async command<Name extends CommandName>(command: Name, input: CommandInput<Name>): Promise<Sent<Name>> {
    const connection = await this.#connection();
    const backend = this.#backend;
    if (!connection || !backend) return { sent: false };
    connection.socket.setMaxListeners(0);
    const cut = new Promise<undefined>((resolve) => connection.socket.once("disconnect", () => resolve(undefined)));
    const ended = backend.ended.then(() => undefined);
    const limitMs = DEADLINE_MS[command] + LATE_MS;
    const answer = connection.socket.timeout(limitMs).emitWithAck(command, input) as Promise<unknown>;
    const hung = new Ruin("hung", `no reply to ${command} of ${JSON.stringify(input)} within ${limitMs} ms`);
    const told = await Promise.race([answer.then((reply) => ({ reply })), cut, ended]).catch(() => {
      if (connection.isOpen) throw hung;
      return undefined;
    });
    return { sent: true, reply: told && parseReply(command, told.reply) };
  }

  /** The reply, asked for again as often as the connection ends before it comes; for commands that may come twice. */
  async insist<Name extends CommandName>(command: Name, input: CommandInput<Name>): Promise<Reply<Name> | undefined> {
    const until = performance.now() + INSISTS_MS;
    for (;;) {
      const { reply } = await this.command(command, input);
      if (reply || performance.now() > until) return reply;
      await delay(50);
    }
  }

  /** Resolves when every fault is over and the backend answers. Throws where it does not. */
  async heal(): Promise<void> {
    this.toServer.faults = {};
    this.toEngine.faults = {};
    this.toEngine.keepReplies();
    for (const thief of this.#thieves.values()) {
      thief.kill("SIGKILL");
      if (thief.exitCode === null && thief.signalCode === null) await once(thief, "close");
    }
    this.#thieves.clear();
    this.startBackend();
    await this.answers();
    this.excuses.endTroubles();
  }

  /** Resolves when the backend is connected and says what it has. */
  async answers(): Promise<void> {
    const until = performance.now() + 60_000;
    while (performance.now() < until) {
      const { reply } = await this.command("list-containers", {});
      if (reply?.success) return;
      await delay(50);
    }
    throw new Ruin("hung", "the backend does not list its containers a minute after every fault is healed");
  }

  /** Forgets what earlier schedules have written. */
  begin(): void {
    this.#backends = this.#backend ? [this.#backend] : [];
    this.excuses.begin();
  }

  /** What the schedule's backends wrote, and what there is to be found. */
  async account(): Promise<string> {
    return [...this.#backends.map(({ output }) => output), ...(await this.evidence.account())].join("\n\n");
  }

  /** Logs in as the user who has that key. */
  async login({ containerId, base, hostKey }: Seen, keyName: string, command: string): Promise<Outcome> {
    const ports = { ssh: base, http: base + 1, https: base + 2 };
    const ssh = { user: "root", hostKeyFingerprint: hostKey ?? "unknown" };
    return this.person.login({ containerId, ports, ssh }, this.key(keyName), command).catch((error: unknown) => ({
      code: 255,
      stdout: "",
      stderr: `no connection: ${String(error)}`,
    }));
  }

  /** After a ruin: a machine as at the beginning. */
  async wipe(): Promise<void> {
    await this.endBackend("SIGKILL");
    // What the Engine still has at hand would otherwise come after all is removed.
    await this.inTurn("engine", async () => {
      await this.machine.losePower();
      await this.machine.start();
    });
    const containers = await this.machine.docker("ps", "--all", "--quiet");
    if (containers !== "") await this.machine.docker("rm", "--force", "--volumes", ...containers.split("\n"));
    const images = ["--filter=reference=dockhost/moved", "--filter=dangling=true"].map((filter) =>
      this.machine.docker("images", "--quiet", "--no-trunc", filter),
    );
    const left = new Set((await Promise.all(images)).flatMap(lines));
    if (left.size > 0) await this.machine.docker("rmi", "--force", ...left);
    await this.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thief of this.#thieves.values()) thief.kill("SIGKILL");
    await this.site[Symbol.asyncDispose]();
    await this.toServer[Symbol.asyncDispose]();
    await this.toEngine[Symbol.asyncDispose]();
    await this.person[Symbol.asyncDispose]();
    await this.machine[Symbol.asyncDispose]();
  }

  async #connection(): Promise<BackendConnection | undefined> {
    const until = performance.now() + CONNECT_MS;
    while (performance.now() < until) {
      const newest = this.site.server.connections.at(-1);
      if (newest?.isOpen) return newest;
      await delay(10);
    }
    return undefined;
  }
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

interface Sent<Name extends CommandName> {
  readonly sent: boolean;
  readonly reply?: Reply<Name> | undefined;
}
