import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import type { Container } from "@dockhost/protocol";
import type { Site } from "../support/site.ts";
import { expectInvariants, type Expected } from "./invariants.ts";

/**
 * What holds whenever a fault is over: the invariants, and of each container that it is whole. It bears its backend's
 * labels and its user's name, its slot has a claim by that user, the Engine publishes the ports that the backend tells,
 * and where it runs, SSH answers (I2).
 */
export async function expectHealed(site: Site, expected: Readonly<Record<string, Expected>>): Promise<void> {
  await expectInvariants(site, expected);
  const { containers } = await site.connection.succeed("list-containers", {});
  await Promise.all(containers.map((container) => expectWhole(site, container)));
}

async function expectWhole(site: Site, { username, containerId, ports, state }: Container): Promise<void> {
  const { Name, Config, HostConfig } = await site.engineApi.inspect(containerId);
  expect(Name).toBe(`/dockhost-${username}`);

  const { "dockhost.slot": slot = "", "dockhost.ports": base } = Config.Labels;
  expect(Number(base)).toBe(ports.ssh);
  const claim: unknown = JSON.parse(await readFile(join(site.dataDirectory, "slots", slot, "claim.json"), "utf8"));
  expect(claim).toMatchObject({ username, deleting: false, shouldRun: state === "running" });

  const hostPort = (port: number) => Number(HostConfig.PortBindings[`${port}/tcp`]?.[0]?.HostPort);
  expect({ ssh: hostPort(22), http: hostPort(80), https: hostPort(443) }).toEqual(ports);
  if (state === "running") expect(await banner(site.address, ports.ssh)).toMatch(/^SSH-2\.0-/);
}

async function banner(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.setTimeout(10_000, () => socket.destroy(new Error(`port ${port} is silent`)));
  try {
    const [text] = (await once(socket, "data")) as [Buffer];
    return text.toString();
  } finally {
    socket.destroy();
  }
}
