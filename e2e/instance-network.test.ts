import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container } from "@dockhost/protocol";
import { DockerEngine } from "../backend/src/engine/docker-engine.ts";
import type { Outcome } from "./support/docker-cli.ts";
import { nameServer } from "./support/name-server.ts";
import { ip, type Listener, listenInside, OutsideHost } from "./support/outside-host.ts";
import { PrivateEngine } from "./support/private-engine.ts";
import { newUser, Site } from "./support/site.ts";
import { SshUser, type KeyPair } from "./support/ssh.ts";

const FIREWALL = fileURLToPath(new URL("../scripts/firewall.mjs", import.meta.url));

/** A machine that no packet leaves: its neighbours are namespaces, so their addresses may be anybody's. */
let machine: PrivateEngine;
let internet: OutsideHost;
let metadata: OutsideHost;
/** The tests themselves are the machine's LAN, and its name server. */
let lanServer: Server;
let lan: Listener;
let names: AsyncDisposable;
let site: Site;
let person: SshUser;
let key: KeyPair;
let ada: Container;
let bob: Container;

beforeAll(async () => {
  machine = await PrivateEngine.open({ moreArguments: ({ gateway }) => ["--dns", gateway] });
  const { namespace } = machine;
  await ip("-netns", namespace.name, "route", "del", "default");
  internet = await OutsideHost.open(namespace, "11.22.33.42", "11.22.33.41");
  metadata = await OutsideHost.open(namespace, "169.254.169.254", "169.254.169.253");
  lanServer = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  lanServer.listen(0, namespace.gateway);
  await once(lanServer, "listening");
  lan = { address: namespace.gateway, port: (lanServer.address() as AddressInfo).port };
  names = await nameServer(namespace.gateway, internet.address);
  await listenInside(namespace, OWN_SERVICE);

  person = await SshUser.arrive(machine.address);
  key = await person.newKey("ada");
  site = await Site.open({ machine });
  [ada, bob] = await Promise.all([create("ada"), create("bob")]);
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
  await names[Symbol.asyncDispose]();
  lanServer.close();
  await internet[Symbol.asyncDispose]();
  await metadata[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});

/** Of the machine, open to all the world. */
const OWN_SERVICE = 9_000;

const create = (name: string): Promise<Container> =>
  site.connection.succeed("create-container", { username: newUser(name), sshPublicKey: key.publicKey });

const inAda = (command: string): Promise<Outcome> => person.login(ada, key, command);

/** As root on the machine. */
const onMachine = (...command: readonly string[]): Promise<Outcome> => machine.namespace.run(...command);

const firewall = (...args: readonly string[]): Promise<Outcome> =>
  onMachine(
    "env",
    `DOCKER_HOST=${machine.url}`,
    process.execPath,
    FIREWALL,
    "--dns",
    machine.namespace.gateway,
    ...args,
  );

async function set(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await firewall(...args);
  if (code !== 0) throw new Error(stdout + stderr);
}

const PLACES = {
  "the internet": () => internet,
  "the LAN": () => lan,
  "cloud metadata": () => metadata,
  "the machine at the bridge": () => ({ address: gatewayOfBridge, port: OWN_SERVICE }),
  "the machine at its LAN address": () => ({ address: machine.address, port: OWN_SERVICE }),
  "a neighbour at the bridge": () => ({ address: addressOfBob, port: 22 }),
  "a neighbour's port at the bridge's gateway": () => ({ address: gatewayOfBridge, port: bob.ports.ssh }),
  "a neighbour's port at the machine's LAN address": () => ({ address: machine.address, port: bob.ports.ssh }),
} satisfies Record<string, () => Listener>;

let gatewayOfBridge = "";
/** Another one after each start. */
let addressOfBob = "";

beforeAll(async () => {
  const gateway = "{{(index .IPAM.Config 0).Gateway}}";
  gatewayOfBridge = await machine.docker("network", "inspect", "dockhost", "--format", gateway);
});

/** Whichever of the places ada's instance can open a connection to, all dialled at once: a packet that is dropped costs three seconds. */
async function reached(): Promise<string[]> {
  const address = "{{.NetworkSettings.Networks.dockhost.IPAddress}}";
  addressOfBob = await machine.docker("inspect", bob.containerId, "--format", address);
  const places = Object.entries(PLACES).map(([place, listener]) => ({ place, ...listener() }));
  const dial = ({ place, address, port }: Listener & { place: string }) =>
    `(timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo '${place.replaceAll("'", "'\\''")}') &`;
  const { stdout } = await inAda(`${places.map(dial).join(" ")} wait`);
  const answered = stdout.split("\n");
  return Object.keys(PLACES).filter((place) => answered.includes(place));
}

const resolves = async (): Promise<boolean> =>
  (await inAda("timeout 5 getent ahostsv4 somewhere.example")).stdout.includes(internet.address);

const NEIGHBOUR_AT_BRIDGE = "a neighbour at the bridge";
const EVERYTHING_BUT_ICC = Object.keys(PLACES).filter((place) => place !== NEIGHBOUR_AT_BRIDGE);

describe("on a machine whose firewall was left alone", () => {
  test("an instance reaches whatever the machine reaches, but no neighbour over the bridge", async () => {
    expect(await reached()).toEqual(EVERYTHING_BUT_ICC);
    expect(await resolves()).toBe(true);
  });

  test("the bridge's interface is called as the network, whatever its id", async () => {
    expect(await ip("-netns", machine.namespace.name, "link", "show", "dockhost")).toContain("dockhost");
  });

  test("the backend says that DOCKHOST_EGRESS is not enforced, and what enforces it", async () => {
    const { capacity } = await site.connection.said.report("backend-status", (status) => known(status));
    expect(capacity).toMatchObject({ egress: "internet", egressEnforced: false });
    expect(site.backend.output).toContain("npm run firewall -- --egress internet");
  });

  test("the check of the script fails and says why", async () => {
    const { code, stderr } = await firewall("--check");
    expect(code).toBe(1);
    expect(stderr).toContain('Egress "internet" is not enforced on dockhost');
  });
});

const known = ({ capacity }: { capacity: { egressEnforced?: boolean | null } }): boolean =>
  typeof capacity.egressEnforced === "boolean";

/** What a backend says that starts now. */
async function told(environment: Record<string, string> = {}) {
  const connection = await site.restart("SIGTERM", environment);
  return (await connection.said.report("backend-status", known)).capacity;
}

describe("under internet", () => {
  test("a connection that was open to the LAN is cut when the rules come", async () => {
    const { address, port } = lan;
    const talk = `exec 3<>/dev/tcp/${address}/${port}; echo one >&3; read -r -u 3 first; echo "$first" >/tmp/heard
      until [ -e /tmp/set ]; do sleep 0.1; done; echo two >&3; read -r -t 3 -u 3 second; echo "$second" >>/tmp/heard`;
    const talking = inAda(`bash -c '${talk}'`);
    await expect.poll(async () => (await inAda("cat /tmp/heard")).stdout).toBe("one\n");
    await set();
    await inAda("touch /tmp/set");
    await talking;
    expect((await inAda("cat /tmp/heard")).stdout).toBe("one\n\n");
  });

  test("an instance reaches the internet and nothing else, by its name too", async () => {
    await set();
    expect(await reached()).toEqual(["the internet"]);
    expect(await resolves()).toBe(true);
  });

  test("the published ports answer who dials in", async () => {
    await set();
    expect(await person.login(bob, key)).toMatchObject({ code: 0, stdout: "root\n" });
  });

  test("setting it twice changes nothing, and an exception is an exception", async () => {
    await set();
    const rules = (await onMachine("iptables", "-S")).stdout;
    await set();
    expect((await onMachine("iptables", "-S")).stdout).toBe(rules);
    await set("--allow", lan.address);
    expect(await reached()).toEqual(["the internet", "the LAN"]);
  });

  test("the backend says that it is enforced; after the Engine's restart it still is, and is said to be", async () => {
    await set();
    expect(await told()).toMatchObject({ egress: "internet", egressEnforced: true });
    await machine.stop();
    await site.connection.said.report("backend-status", ({ docker }) => !docker.reachable);
    await machine.start();
    const now = () => site.connection.said.latest("backend-status");
    await expect.poll(now).toMatchObject({ docker: { reachable: true }, capacity: { egressEnforced: true } });
    await site.connection.succeed("start-container", { username: ada.username });
    await site.connection.succeed("start-container", { username: bob.username });
    expect(await reached()).toEqual(["the internet"]);
  });

  test("a rule that somebody takes out or puts before is noticed by the backend and by the check", async () => {
    const [out, before] = [
      ["DOCKHOST-EGRESS", "-d", "10.0.0.0/8", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited"],
      ["INPUT", "-j", "ACCEPT"],
    ];
    await set();
    expect((await onMachine("iptables", "-D", ...out)).code).toBe(0);
    expect(await told()).toMatchObject({ egressEnforced: false });
    expect((await firewall("--check")).code).toBe(1);
    await set();
    expect((await onMachine("ip6tables", "-F", "DOCKHOST-INPUT")).code).toBe(0);
    expect(await told()).toMatchObject({ egressEnforced: false });
    expect((await firewall("--check")).stderr).toContain("ip6tables");
    await set();
    expect((await onMachine("iptables", "-I", ...before)).code).toBe(0);
    expect(await told()).toMatchObject({ egressEnforced: false });
    expect((await firewall("--check")).stderr).toContain("-A INPUT -j ACCEPT");
    await onMachine("iptables", "-D", ...before);
  });
});

test("a kernel that shows bridged packets to no rule is noticed: neighbours would reach each other", async () => {
  await set();
  const show = (value: 0 | 1) => onMachine("sh", "-c", `echo ${value} >/proc/sys/net/bridge/bridge-nf-call-iptables`);
  await show(0);
  expect(await reached()).toEqual(["the internet", "a neighbour at the bridge"]);
  expect((await firewall("--check")).stderr).toContain("Instances reach each other over dockhost");
  expect(await told()).toMatchObject({ egressEnforced: false });
  await show(1);
  expect(await reached()).toEqual(["the internet"]);
  expect(await told()).toMatchObject({ egressEnforced: true });
});

test("under all, an instance reaches the LAN, but no neighbour, not the machine itself and no cloud metadata", async () => {
  await set("--egress", "all");
  expect(await reached()).toEqual(["the internet", "the LAN"]);
  expect(await resolves()).toBe(true);
  expect(await told({ DOCKHOST_EGRESS: "all" })).toMatchObject({ egress: "all", egressEnforced: true });
});

describe("under none", () => {
  test("an instance reaches nobody, names neither, and is reached all the same", async () => {
    await set("--egress", "none");
    expect(await reached()).toEqual([]);
    expect(await resolves()).toBe(false);
    expect(await person.login(bob, key)).toMatchObject({ code: 0, stdout: "root\n" });
  });

  test("a backend that wants another policy says that its own is not enforced", async () => {
    await set("--egress", "none");
    expect(await told({ DOCKHOST_EGRESS: "none" })).toMatchObject({ egress: "none", egressEnforced: true });
    expect(await told()).toMatchObject({ egress: "internet", egressEnforced: false });
  });
});

test("--dry-run changes nothing, and --remove brings back what was before", async () => {
  await set("--remove");
  const before = (await onMachine("iptables", "-S")).stdout;
  await set("--dry-run");
  expect((await onMachine("iptables", "-S")).stdout).toBe(before);
  await set();
  expect((await onMachine("iptables", "-S")).stdout).not.toBe(before);
  await set("--remove");
  expect((await onMachine("iptables", "-S")).stdout).toBe(before);
  expect(await reached()).toEqual(EVERYTHING_BUT_ICC);
});

describe("the bridge on an Engine without one", () => {
  let bare: PrivateEngine;
  beforeAll(async () => {
    bare = await PrivateEngine.open({ loadImage: false });
  });
  afterAll(() => bare[Symbol.asyncDispose]());

  test("is made once, however many agents ask at once, and has the interface that was told before", async () => {
    const engines = [1, 2, 3].map(() => new DockerEngine({ kind: "unix", socketPath: bare.socketPath }));
    const [first] = engines;
    expect(await first?.bridgeInterface("dockhost")).toBe("dockhost");
    await Promise.all([...engines, ...engines].map((engine) => engine.ensureIsolatedBridge("dockhost")));
    const ids = await bare.docker("network", "ls", "--quiet", "--filter", "name=^dockhost$");
    expect(ids.split("\n")).toHaveLength(1);
    expect(await first?.bridgeInterface("dockhost")).toBe("dockhost");
    await bare.docker("network", "rm", "dockhost");
  });

  test("that was made without a name for its interface is found by its id", async () => {
    const id = await bare.docker("network", "create", "dockhost");
    const name = `br-${id.slice(0, 12)}`;
    const engine = new DockerEngine({ kind: "unix", socketPath: bare.socketPath });
    expect(await engine.bridgeInterface("dockhost")).toBe(name);
    const { stdout } = await bare.namespace.run("env", `DOCKER_HOST=${bare.url}`, process.execPath, FIREWALL);
    expect(stdout).toContain(`enforced on ${name}`);
  });
});
