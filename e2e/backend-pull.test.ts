import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { record } from "./faults/ledger.ts";
import { freePort } from "./support/ports.ts";
import { Registry } from "./support/registry.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";
import { TestImages } from "./support/test-images.ts";

const MIB = 1024 * 1024;
const LAYERS_MIB = [6, 4, 3];

let person: SshUser;
let key: KeyPair;
let registry: Registry;
let images: TestImages;

beforeAll(async () => {
  person = await SshUser.arrive();
  key = await person.newKey("ada");
  images = new TestImages();
  registry = await Registry.open();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await images[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
});

const asking = (name: string, image: string) => ({
  username: newUser(name),
  sshPublicKey: key.publicKey,
  operationId: randomUUID(),
  image,
});

/** An image of several layers that cannot be compressed, in the registry and nowhere else. */
const pushed = (): Promise<string> => images.push(registry.address, ...LAYERS_MIB.map(layer));

const layer = (mib: number, index: number): string => `RUN head -c ${mib * MIB} /dev/urandom > /srv/layer-${index}`;

test("a missing image is pulled once for all who wait for it, and each hears how far it is, in bytes", async () => {
  const reference = await pushed();
  await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `big=${reference}` } });
  const requests = [asking("ada", "big"), asking("bob", "big")];
  const containers = await Promise.all(requests.map((request) => site.connection.succeed("create-container", request)));
  for (const container of containers) {
    expect(container).toMatchObject({ state: "running", image: reference });
    expect(await person.login(container, key, "ls /srv | wc -l")).toMatchObject({ stdout: "3\n" });
  }
  expect(site.backend.log.filter(({ msg }) => msg === "Pulling image")).toHaveLength(1);
  for (const { username, operationId } of requests) {
    const told = site.connection.said.reports("operation-progress").filter((one) => one.operationId === operationId);
    const pulling = told.filter(({ phase }) => phase === "pulling-image");
    expect(pulling.length).toBeGreaterThan(1);
    expect(pulling.every((one) => one.username === username)).toBe(true);
    const currents = pulling.map(({ current = -1 }) => current);
    expect(currents).toEqual([...currents].sort((one, other) => one - other));
    expect(currents.at(-1)).toBe(pulling.at(-1)?.total);
    expect(pulling.at(-1)?.total).toBeGreaterThanOrEqual(LAYERS_MIB.reduce((sum, mib) => sum + mib) * MIB);
    expect(told.slice(pulling.length).map(({ phase }) => phase)).not.toContain("pulling-image");
    expect(told.at(-1)?.phase).toBe("waiting-for-ssh");
  }
});

test("an image that its registry does not have is IMAGE_UNAVAILABLE, and nothing is left of the create", async () => {
  const reference = `${registry.address}/dockhost-test/missing:1`;
  await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `missing=${reference}` } });
  const refused = await site.connection.refusal("create-container", "IMAGE_UNAVAILABLE", asking("cid", "missing"));
  expect(refused).toMatchObject({ data: null, error: { retryable: false } });
  expect(refused.message).toContain(reference);
  expect(await site.unclaimed()).toEqual([]);
  expect(await site.slotDirectories()).toEqual([]);
  record({ fault: "image missing and not to be had", runs: 1 });
});

test("an image whose registry is down is IMAGE_UNAVAILABLE, and the same operation succeeds once it is there", async () => {
  const reference = await pushed();
  await using site = await Site.open({ environment: { DOCKHOST_IMAGES: `big=${reference}` } });
  const request = asking("dan", "big");
  await registry.goDown();
  const refused = await site.connection.refusal("create-container", "IMAGE_UNAVAILABLE", request);
  expect(refused.message).toContain(registry.address);
  await registry.goUp();
  await site.connection.succeed("create-container", request);
  record({ fault: "image missing and not to be had", runs: 1 });
});

test("a registry that never answers holds nobody else up, nor the end of the backend", async () => {
  const silent = createServer((socket) => socket.on("error", () => socket.destroy()));
  silent.listen(await freePort(), "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  await using site = await Site.open({
    environment: { DOCKHOST_IMAGES: `silent=127.0.0.1:${port}/dockhost-test/silent:1` },
  });
  const called = once(silent, "connection");
  site.connection.socket.emit("create-container", asking("eli", "silent"));
  await called;
  const { username, sshPublicKey } = asking("fay", "none");
  await site.connection.succeed("create-container", { username, sshPublicKey });
  const begin = performance.now();
  expect(await site.backend.end("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(await site.containerNames()).toEqual([`dockhost-${username}`]);
  silent.close();
  record({ fault: "image missing and not to be had", runs: 1 });
});
