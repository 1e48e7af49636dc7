import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container } from "@dockhost/protocol";
import { outcome, type Outcome } from "./docker-cli.ts";

export interface KeyPair {
  /** Of the private key. */
  readonly file: string;
  /** The line of the .pub file, without its end. */
  readonly publicKey: string;
}

/** What a login needs to know of a container. */
export type Reachable = Pick<Container, "containerId" | "ports" | "ssh">;

/** A folder of key pairs and known hosts, and real OpenSSH that uses nothing else. */
export class SshUser implements AsyncDisposable {
  readonly #folder: string;
  /** Where containers' ports are published. */
  readonly #host: string;
  /** Lines of known_hosts that have been compared, by the port and the fingerprint. */
  readonly #known = new Map<string, string>();

  private constructor(folder: string, host: string) {
    this.#folder = folder;
    this.#host = host;
  }

  static async arrive(host = "127.0.0.1"): Promise<SshUser> {
    return new SshUser(await mkdtemp(join(tmpdir(), "dockhost-ssh-")), host);
  }

  async newKey(name: string): Promise<KeyPair> {
    const file = join(this.#folder, name);
    await outcome("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
    return { file, publicKey: (await readFile(`${file}.pub`, "utf8")).trim() };
  }

  /** Logs in by `key` and runs `command`; throws where the host key is not the one whose fingerprint the backend told. */
  async login(container: Reachable, key: KeyPair, command = "whoami"): Promise<Outcome> {
    const { ports, ssh } = container;
    const announced = `${ports.ssh} ${ssh?.hostKeyFingerprint ?? "nothing"}`;
    const known = this.#known.get(announced);
    if (known !== undefined) return this.loginKnowing(known, container, key, command);

    const knownHosts = join(this.#folder, `${randomUUID()}.known`);
    const outcome = await this.#ssh(container, key, command, knownHosts, "accept-new");
    const shown = await readFile(knownHosts, "utf8").catch(() => "");
    const fingerprint = fingerprintIn(shown);
    if (fingerprint !== ssh?.hostKeyFingerprint)
      throw new Error(`port ${ports.ssh} shows ${fingerprint}, the reply says ${announced}: ${outcome.stderr}`);
    this.#known.set(announced, shown);
    return outcome;
  }

  /** Likewise, trusting what `line` says: a line of known_hosts. */
  async loginKnowing(line: string, container: Reachable, key: KeyPair, command = "whoami"): Promise<Outcome> {
    const knownHosts = join(this.#folder, `${container.containerId}.known`);
    await writeFile(knownHosts, line);
    return this.#ssh(container, key, command, knownHosts, "yes");
  }

  async #ssh(
    { ports, ssh }: Reachable,
    key: KeyPair,
    command: string,
    knownHosts: string,
    checking: "yes" | "accept-new",
  ): Promise<Outcome> {
    const options = [
      ...["BatchMode=yes", "IdentitiesOnly=yes", "ConnectTimeout=10", "LogLevel=ERROR"],
      ...[`StrictHostKeyChecking=${checking}`, `UserKnownHostsFile=${knownHosts}`, "GlobalKnownHostsFile=/dev/null"],
    ];
    return outcome("ssh", [
      ...["-F", "none", ...options.flatMap((option) => ["-o", option])],
      ...["-i", key.file, "-p", String(ports.ssh)],
      ...[`${ssh?.user ?? "nobody"}@${this.#host}`, command],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What ssh-keyscan finds at a container's port: lines of known_hosts. */
  async scan({ ports }: Pick<Reachable, "ports">): Promise<string> {
    return (await outcome("ssh-keyscan", ["-T", "10", "-t", "ed25519", "-p", String(ports.ssh), this.#host])).stdout;
  }
}

/** As ssh-keygen -l writes it, of the key in a line of known_hosts. */
function fingerprintIn(line: string): string {
  const [, , blob] = line.trim().split(" ");
  if (blob === undefined) return "no host key";
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
