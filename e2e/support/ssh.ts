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
  /** What was scanned, by the port and the fingerprint that it had: a login checks it again. */
  readonly #scanned = new Map<string, string>();

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

  /** Logs in by `key` and runs `command`, trusting only the host key whose fingerprint the backend told. */
  async login(container: Reachable, key: KeyPair, command = "whoami"): Promise<Outcome> {
    return this.loginKnowing(await this.#announcedHostKey(container), container, key, command);
  }

  /** Likewise, trusting what `line` says: a line of known_hosts. */
  async loginKnowing(line: string, container: Reachable, key: KeyPair, command = "whoami"): Promise<Outcome> {
    const knownHosts = join(this.#folder, `${container.containerId}.known`);
    await writeFile(knownHosts, line);
    const options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10"];
    return outcome("ssh", [
      ...["-F", "none", ...options.flatMap((option) => ["-o", option])],
      ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
      ...["-i", key.file, "-p", String(container.ports.ssh)],
      ...[`${container.ssh?.user ?? "nobody"}@${this.#host}`, command],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What ssh-keyscan finds at a container's port: lines of known_hosts. */
  async scan({ ports }: Pick<Reachable, "ports">): Promise<string> {
    return (await outcome("ssh-keyscan", ["-T", "10", "-t", "ed25519", "-p", String(ports.ssh), this.#host])).stdout;
  }

  /** The line for known_hosts; throws where the key that the port shows is not the one of the reply. */
  async #announcedHostKey({ ports, ssh }: Reachable): Promise<string> {
    const announced = `${ports.ssh} ${ssh?.hostKeyFingerprint ?? ""}`;
    const known = this.#scanned.get(announced);
    if (known !== undefined) return known;
    const scanned = await this.scan({ ports });
    const file = join(this.#folder, `scan-${ports.ssh}-${Math.random()}`);
    await writeFile(file, scanned);
    const { stdout } = await outcome("ssh-keygen", ["-l", "-f", file]);
    const fingerprint = stdout.split(" ")[1] ?? "none";
    if (fingerprint === ssh?.hostKeyFingerprint) {
      this.#scanned.set(announced, scanned);
      return scanned;
    }
    throw new Error(`port ${ports.ssh} shows ${fingerprint}, the reply says ${ssh?.hostKeyFingerprint ?? "nothing"}`);
  }
}
