import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { docker, outcome } from "./docker-cli.ts";
import { EngineApi } from "./engine-api.ts";
import { copyDataRoot } from "./engine-data-root.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import { leftovers, nameOfOwn } from "./ownership.ts";

const FORM = "dockhost-engine";
const STARTS_WITHIN_MS = 60_000;

export interface PrivateEngineOptions {
  /** A folder that does not exist yet; removed with the Engine. In the system's temporary folder where none is given. */
  dataRoot?: string;
  /** Whether it has the instance image from its beginning; it does where nothing is said. */
  loadImage?: boolean;
  /** Of dockerd, beside its own. */
  moreArguments?: (namespace: NetworkNamespace) => readonly string[];
}

/**
 * A Docker Engine of a test's own, on a machine of its own: dockerd, its containerd and every container live in one
 * network, mount and process namespace, so they can be stopped, frozen, killed, or lose their power all at once. All of
 * it ends with the process that opened it. Shared with the machine: the kernel, and the cgroups (below one of its own).
 */
export class PrivateEngine implements AsyncDisposable {
  readonly namespace: NetworkNamespace;
  /** For DOCKER_HOST. */
  readonly url: string;
  readonly engineApi: EngineApi;
  readonly #folder: string;
  readonly #dataRoot: string;
  readonly #moreArguments: readonly string[];
  /** Its child is process 1 of the machine's; with it everything ends. */
  #power: ChildProcess | undefined;
  #firstProcess = "";
  #daemon: ChildProcess | undefined;

  private constructor(
    namespace: NetworkNamespace,
    folder: string,
    dataRoot: string,
    moreArguments: (namespace: NetworkNamespace) => readonly string[],
  ) {
    this.namespace = namespace;
    this.#folder = folder;
    this.#dataRoot = dataRoot;
    this.#moreArguments = moreArguments(namespace);
    this.url = `unix://${this.socketPath}`;
    this.engineApi = new EngineApi(this.socketPath);
  }

  /** A running one. Removes first what a test left that was cut off. */
  static async open(options: PrivateEngineOptions = {}): Promise<PrivateEngine> {
    const { dataRoot, loadImage = true, moreArguments = () => [] } = options;
    await removeLeftovers();
    const folder = join(tmpdir(), nameOfOwn(FORM));
    await mkdir(folder, { mode: 0o700 });
    const engine = new PrivateEngine(
      await NetworkNamespace.open(),
      folder,
      dataRoot ?? join(folder, "data"),
      moreArguments,
    );
    try {
      if (loadImage)
        await copyDataRoot(engine.#dataRoot, (prepared) =>
          PrivateEngine.open({ dataRoot: prepared, loadImage: false }),
        );
      await engine.start();
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    return engine;
  }

  /** Where its published ports are reached from outside. */
  get address(): string {
    return this.namespace.address;
  }

  /** What a backend that works on this machine needs to know. */
  get environment(): { DOCKER_HOST: string } {
    return { DOCKER_HOST: this.url };
  }

  /** Runs `docker` against this Engine and answers its trimmed stdout. */
  readonly docker = (...args: readonly string[]): Promise<string> => docker("--host", this.url, ...args);

  /** Switches the machine on where it is off, and waits until dockerd answers. */
  async start(): Promise<void> {
    if (!this.#power) await this.#switchOn();
    const log = openSync(join(this.#folder, "dockerd.log"), "a");
    const [program, ...args] = this.#onMachine;
    const daemon = spawn(program, [...args, "dockerd", ...this.#arguments], {
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#daemon = daemon;
    const endsAt = performance.now() + STARTS_WITHIN_MS;
    while (!(await this.answers())) {
      if (hasEnded(daemon) || performance.now() > endsAt)
        throw new Error(`dockerd does not start: ${await this.log()}`);
      await delay(20);
    }
  }

  /** Ends dockerd as an operator does: it stops its containers. */
  async stop(): Promise<void> {
    await this.#end("TERM");
  }

  /** Kills dockerd and its containerd; containers run on until the next start. */
  async kill(): Promise<void> {
    await this.#end("KILL");
    await rm(join(this.#folder, "dockerd.pid"), { force: true });
  }

  /** Everything ends at once, and what a machine keeps in memory only is gone. */
  async losePower(): Promise<void> {
    const power = this.#power;
    if (!power) return;
    const daemonEnds = this.#daemon && ended(this.#daemon);
    process.kill(Number(this.#firstProcess), "SIGKILL");
    // A frozen dockerd's parent is frozen with it.
    this.#daemon?.kill("SIGKILL");
    await Promise.all([ended(power), daemonEnds]);
    this.#power = undefined;
    this.#daemon = undefined;
    for (const name of ["exec", "dockerd.pid", "docker.sock"]) {
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** dockerd does nothing, and its sockets stay open. */
  async freeze(): Promise<void> {
    await this.#signal("STOP");
  }

  async thaw(): Promise<void> {
    this.#daemon?.kill("SIGCONT");
    await this.#signal("CONT");
  }

  /** Whether it answers, within a second. */
  answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const call = request(
        { socketPath: this.socketPath, path: "/_ping", timeout: 1_000, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      );
      call.once("timeout", () => call.destroy());
      call.once("error", () => resolve(false));
      call.end();
    });
  }

  /** Leaves what containerd leaves of a start that was cut off early: it takes that container for running, and tidies it up never. */
  async leaveDirectory(containerId: string): Promise<void> {
    const state = join(this.#folder, "exec/containerd/daemon/io.containerd.runtime.v2.task/moby", containerId);
    await mkdir(join(state, "rootfs"), { recursive: true });
    await writeFile(join(state, "config.json"), "{}");
  }

  /** What dockerd wrote, its last part. */
  async log(): Promise<string> {
    return (await readFile(join(this.#folder, "dockerd.log"), "utf8")).slice(-4_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.losePower();
    await this.namespace[Symbol.asyncDispose]();
    await rm(this.#dataRoot, { recursive: true, force: true });
    await removeRemains(this.#folder);
  }

  get socketPath(): string {
    return join(this.#folder, "docker.sock");
  }

  get #onMachine(): readonly [string, ...string[]] {
    return ["nsenter", "--target", this.#firstProcess, "--mount", "--net", "--pid", "--"];
  }

  get #arguments(): readonly string[] {
    return [
      ...["--data-root", this.#dataRoot, "--exec-root", join(this.#folder, "exec")],
      ...["--pidfile", join(this.#folder, "dockerd.pid"), "--host", this.url],
      ...["--cgroup-parent", `/${cgroupOf(this.#folder)}`, "--exec-opt", "native.cgroupdriver=cgroupfs"],
      ...this.#moreArguments,
    ];
  }

  async #switchOn(): Promise<void> {
    const [program, ...args] = [
      ...["setpriv", "--pdeathsig", "SIGKILL", ...this.namespace.inside],
      // What is mounted outside is seen inside where it was mounted before.
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["docker-init", "--", "sleep", "infinity"],
    ] as const;
    const power = spawn(program, args, { stdio: "ignore" });
    this.#power = power;
    for (this.#firstProcess = ""; this.#firstProcess === "";) {
      if (hasEnded(power)) throw new Error("a private machine does not start: it needs root and util-linux");
      await delay(10);
      const { stdout } = await outcome("pgrep", ["--parent", String(power.pid), "--exact", "docker-init"]);
      this.#firstProcess = stdout.trim();
    }
  }

  async #end(signal: "TERM" | "KILL"): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) return;
    const ends = ended(daemon);
    await this.#signal(signal);
    await ends;
    this.#daemon = undefined;
  }

  /** Sent from inside, where dockerd has the process id that it wrote down. */
  async #signal(signal: "TERM" | "KILL" | "STOP" | "CONT"): Promise<void> {
    const pid = await readFile(join(this.#folder, "dockerd.pid"), "utf8");
    const [program, ...args] = this.#onMachine;
    const { code, stderr } = await outcome(program, [...args, "/bin/kill", "-s", signal, pid.trim()]);
    if (code !== 0) throw new Error(`SIG${signal} to dockerd: ${stderr}`);
  }
}

async function removeLeftovers(): Promise<void> {
  for (const name of await leftovers(FORM, await readdir(tmpdir()))) await removeRemains(join(tmpdir(), name));
}

/** What stays of a machine that is off. */
async function removeRemains(folder: string): Promise<void> {
  const cgroups = (await readdir("/sys/fs/cgroup")).map((name) => join("/sys/fs/cgroup", name, cgroupOf(folder)));
  await outcome("find", [...cgroups, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
  await rm(folder, { recursive: true, force: true });
}

const cgroupOf = (folder: string): string => folder.slice(folder.lastIndexOf("/") + 1);

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

const ended = async (child: ChildProcess): Promise<void> => {
  if (!hasEnded(child)) await once(child, "close");
};
