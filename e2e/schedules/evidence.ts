import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "@dockhost/protocol";
import type { PrivateEngine } from "../support/private-engine.ts";
import type { Site } from "../support/site.ts";

/** The image that new containers get. */
const OWN_IMAGE = "dockhost/instance:latest";

/** What there is to be found on a machine, looked at past the backend; nothing is changed by it. */
export class Evidence {
  readonly #machine: PrivateEngine;
  readonly #site: Site;

  constructor(machine: PrivateEngine, site: Site) {
    this.#machine = machine;
    this.#site = site;
  }

  /** How many slots the backend said last that it keeps ready. */
  get warmSlots(): number {
    return this.#site.connection.said.latest("backend-status")?.usage.warmSlots ?? 0;
  }

  /** Names of this Engine's containers, whoever has made them. */
  async containerNames(): Promise<string[]> {
    return (await this.#machine.engineApi.containers()).map(({ name }) => name);
  }

  /** Images that no container is made of, but for the one that new containers get. */
  async unusedImages(): Promise<string[]> {
    const { engineApi } = this.#machine;
    const [images, containers] = await Promise.all([engineApi.images("all"), engineApi.containers()]);
    const used = new Set(containers.map(({ image }) => image));
    return images.filter((image) => image !== OWN_IMAGE && !used.has(image));
  }

  /** What is in the data directory: the backend's own files, and a directory for each slot. */
  async files(): Promise<{ own: string[]; slots: string[] }> {
    const { dataDirectory } = this.#site;
    const [own, slots] = await Promise.all([readdir(dataDirectory), readdir(join(dataDirectory, "slots"))]);
    return { own, slots };
  }

  /**
   * Ports that the Engine holds for no running container. Engine 20.10 does (seen) after it died while it was starting
   * one: until its next start nobody else can bind them, and that container does not start either.
   */
  async portsHeldForNobody(running: readonly Container[]): Promise<ReadonlySet<number>> {
    const used = new Set(running.flatMap(({ ports }) => Object.values(ports)));
    const proxies = (await this.#listeners()).split("\n").filter((line) => line.includes("docker-proxy"));
    const held = proxies.map((line) => Number(/:(\d+)\s/.exec(line)?.[1]));
    return new Set(held.filter((port) => !used.has(port)));
  }

  /** What the Engine wrote, who listens on this machine and where its ports lead. */
  async account(): Promise<string[]> {
    const format = "{{.Name}} {{.State.Status}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const ids = (await this.#machine.docker("ps", "--all", "--quiet").catch(() => "")).split("\n");
    const containers = await this.#machine.docker("container", "inspect", "--format", format, ...ids).catch(String);
    const network = await this.#machine.docker("network", "inspect", "dockhost").catch(String);
    const { stdout: rules } = await this.#machine.namespace.run("iptables", "-t", "nat", "-S", "DOCKER");
    return [await this.#machine.log(), await this.#listeners(), rules, network, containers];
  }

  async #listeners(): Promise<string> {
    const sockets = ["ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes"];
    return (await this.#machine.namespace.run(...sockets)).stdout;
  }
}
