import { createHash } from "node:crypto";
import type { BackendStatus, Container } from "../../protocol/src/index.ts";

/** What the store of the bench's main server holds, and what its backends tell: all of it follows from numbers. */

export const CONTAINERS_EACH = 20;
/** So many backends serve the same users, each of whom has one instance on each of them. */
export const INSTANCES_OF_A_USER = 50;

const EPOCH = Date.parse("2026-01-01T00:00:00Z");
const FIRST_PORT = 1024;

/** The user of a container: `slot` counts the containers of its backend. */
export const usernameOf = (backend: number, slot: number): string =>
  `user-${Math.floor(backend / INSTANCES_OF_A_USER)}-${slot}`;

/** A UUID that is as scattered as a random one. */
export function idOf(kind: "user" | "backend" | "instance", name: string): string {
  const hex = hashOf(`${kind} ${name}`);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

export const backendIdOf = (backend: number): string => idOf("backend", `${backend}`);
export const instanceIdOf = (backend: number, slot: number): string => idOf("instance", `${backend}-${slot}`);

/** As the main server mints them. */
export function apiKeyOf(backend: number): string {
  const secret = createHash("sha256").update(`key ${backend}`).digest("base64url");
  return `dkh_${secret}${hashOf(`dkh_${secret}`).slice(0, 6)}`;
}

export const tokenOf = (username: string): string => `token of ${username}`.replaceAll(" ", "-");

export function containerOf(backend: number, slot: number, state: Container["state"]): Container {
  const ssh = FIRST_PORT + 3 * slot;
  const mark = hashOf(`container ${backend}-${slot}`);
  return {
    containerId: mark,
    username: usernameOf(backend, slot),
    state,
    ports: { ssh, http: ssh + 1, https: ssh + 2 },
    image: "dockhost/instance",
    createdAt: momentOf(backend * CONTAINERS_EACH + slot),
    ssh: { user: "root", hostKeyFingerprint: `SHA256:${mark.slice(0, 43)}` },
  };
}

/** A time of its own for each. */
export const momentOf = (number: number): string => new Date(EPOCH + number).toISOString();

export const STATUS: BackendStatus = {
  protocol: 1,
  version: "3.0.0",
  hostname: "bench",
  addresses: ["192.0.2.7", "198.51.100.7"],
  docker: { reachable: true, version: "20.10.24" },
  capacity: {
    maxContainers: 64,
    comfortableContainers: 32,
    cpus: 16,
    memoryMiB: 32_768,
    diskQuotaEnforced: true,
    egress: "internet",
    egressEnforced: true,
    portRange: { first: FIRST_PORT, last: 32_000 },
  },
  usage: { containers: CONTAINERS_EACH, running: CONTAINERS_EACH, memoryAvailableMiB: 16_000, diskFreeMiB: 100_000 },
  draining: false,
};

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
