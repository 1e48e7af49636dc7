import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { outcome } from "./docker-cli.ts";
import { NetworkNamespace } from "./network-namespace.ts";

export interface Listener {
  readonly address: string;
  readonly port: number;
}

/** A host that is on a cable of its own to a private machine, at an address of the test's choice; it answers on port 80. */
export class OutsideHost implements AsyncDisposable, Listener {
  readonly address: string;
  readonly port = 80;
  readonly #namespace: NetworkNamespace;

  private constructor(address: string, namespace: NetworkNamespace) {
    this.address = address;
    this.#namespace = namespace;
  }

  /** `address` and `machineAddress` are the two of one /30. */
  static async open(machine: NetworkNamespace, address: string, machineAddress: string): Promise<OutsideHost> {
    const host = new OutsideHost(address, await NetworkNamespace.open());
    const { name } = host.#namespace;
    const end = `dho${randomBytes(5).toString("hex")}`;
    await ip("-netns", machine.name, "link", "add", end, "type", "veth", "peer", "name", "cable", "netns", name);
    await ip("-netns", machine.name, "address", "add", `${machineAddress}/30`, "dev", end);
    await ip("-netns", machine.name, "link", "set", end, "up");
    await ip("-netns", name, "address", "add", `${address}/30`, "dev", "cable");
    await ip("-netns", name, "link", "set", "cable", "up");
    await listenInside(host.#namespace, host.port);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#namespace[Symbol.asyncDispose]();
  }
}

/** A server at every address of a namespace; it ends with the namespace. */
export async function listenInside(namespace: NetworkNamespace, port: number): Promise<void> {
  const server = `require("net").createServer((s) => s.end()).listen(${port}, "0.0.0.0", () => console.log("listens"))`;
  const [program, ...args] = [...namespace.inside, process.execPath, "--eval", server] as const;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "close").then(() => Promise.reject(new Error(`nobody listens on ${port} in ${namespace.name}`))),
  ]);
}

export async function ip(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await outcome("ip", args);
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  return stdout;
}
