import { randomBytes, randomInt } from "node:crypto";
import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { outcome, type Outcome } from "./docker-cli.ts";
import { leftovers, nameOfOwn } from "./ownership.ts";

const FORM = "dockhost-net";

/** The prefix length of each link: two addresses, one at either end. */
const LINK_BITS = 30;

/**
 * A network of its own: loopback, its own iptables, and a cable (a veth pair) to the machine's network. What listens
 * inside at every address is reached from outside at `address`; what listens outside at `gateway` is reached from inside.
 */
export class NetworkNamespace implements AsyncDisposable {
  readonly name: string;
  /** Of the end inside. */
  readonly address: string;
  /** Of the end outside. */
  readonly gateway: string;

  private constructor(name: string, gateway: string, address: string) {
    this.name = name;
    this.gateway = gateway;
    this.address = address;
  }

  /** Removes first what a test left that was cut off. */
  static async open(): Promise<NetworkNamespace> {
    for (const name of await leftovers(FORM, await namesOfAll())) await remove(name);
    const { gateway, address } = await freeLink();
    const namespace = new NetworkNamespace(nameOfOwn(FORM), gateway, address);
    await ip("netns", "add", namespace.name);
    try {
      await namespace.#plugIn();
    } catch (error) {
      await remove(namespace.name);
      throw error;
    }
    return namespace;
  }

  /** What stands before a command that is to run inside. It keeps its process id, its files and its environment. */
  get inside(): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.name}`, "--"];
  }

  /** What a program answers that runs inside, as root. */
  run(...command: readonly string[]): Promise<Outcome> {
    const [program = "nsenter", ...args] = [...this.inside, ...command];
    return outcome(program, args);
  }

  /** Ends what still runs inside, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.name);
  }

  async #plugIn(): Promise<void> {
    const { name, gateway, address } = this;
    const outer = `dhe${randomBytes(5).toString("hex")}`;
    await ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name);
    await ip("address", "add", `${gateway}/${LINK_BITS}`, "dev", outer);
    await ip("link", "set", outer, "up");
    await ip("-netns", name, "address", "add", `${address}/${LINK_BITS}`, "dev", "eth0");
    await ip("-netns", name, "link", "set", "eth0", "up");
    await ip("-netns", name, "link", "set", "lo", "up");
    await ip("-netns", name, "route", "add", "default", "via", gateway);
  }
}

async function ip(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await outcome("ip", args);
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function namesOfAll(): Promise<string[]> {
  const list = await ip("netns", "list");
  return list.split("\n").map((line) => line.split(" ")[0] ?? "");
}

async function freeLink(): Promise<{ gateway: string; address: string }> {
  const taken = await ip("-oneline", "address");
  for (;;) {
    const [third, first] = [randomInt(256), 4 * randomInt(64)];
    const at = (host: number) => `10.213.${third}.${first + host}`;
    if (!taken.includes(` ${at(1)}/`)) return { gateway: at(1), address: at(2) };
  }
}

async function remove(name: string): Promise<void> {
  await endProcesses(name);
  // The cable goes with its inner end.
  await ip("netns", "delete", name).catch(async (error: unknown) => {
    if (await exists(name)) throw error;
  });
}

async function endProcesses(name: string): Promise<void> {
  for (;;) {
    const { code, stdout } = await outcome("ip", ["netns", "pids", name]);
    const pids = stdout.split("\n").filter((line) => line !== "");
    if (code !== 0 || pids.length === 0) return;
    for (const pid of pids) kill(Number(pid));
    await delay(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

const exists = (name: string): Promise<boolean> =>
  access(`/run/netns/${name}`).then(
    () => true,
    () => false,
  );
