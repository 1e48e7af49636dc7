import "./node-version.mjs";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isRoot } from "./apt.mjs";
import { docker } from "./docker.mjs";
import {
  chainRules,
  EGRESSES,
  jumps,
  markOf,
  readRange,
  resolversOf,
  restoreInput,
  whatIsMissing,
} from "./firewall-rules.mjs";
import { runAsEntry, SetupProblem } from "./problem.mjs";
import { end, lastLines, run, which } from "./run.mjs";

/**
 * @typedef {import("./firewall-rules.mjs").Egress} Egress
 * @typedef {import("./firewall-rules.mjs").Family} Family
 */

const NETWORK = "dockhost";

const HELP = `Sets what DockHost's instances may reach, in this machine's firewall: npm run firewall -- [options]

  --egress POLICY      internet  the public internet alone (the default, or DOCKHOST_EGRESS)
                       all       private networks too, but for cloud metadata
                       none      nothing; who dials in is answered
                       Under each of them no instance reaches another one or this machine itself.
  --allow RANGE        an address, or address/bits, that is reached all the same; may be repeated
  --refuse RANGE       one more that is not reached, such as a LAN of public addresses; may be repeated
  --dns ADDRESS        the name server whose port 53 is reached; may be repeated. Without it those of /etc/resolv.conf.
                       Where the Engine is given its own (dockerd --dns), name them here.
  --interface NAME     the instances' bridge; without it the Engine is asked
  --check              changes nothing; ends with 1 where the policy is not enforced
  --dry-run            changes nothing; prints what would be fed to iptables-restore on an empty firewall
  --remove             takes the rules away
  --help

The rules are gone after a reboot: docs/operations.md shows how to set them at each start.
`;

const PROGRAMS = /** @type {const} */ ([
  { family: 4, iptables: "iptables" },
  { family: 6, iptables: "ip6tables" },
]);

async function firewall() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (!options.dryRun && !isRoot()) throw new SetupProblem("The firewall belongs to root: run this with sudo.");
  if (!options.dryRun && which("iptables") === undefined) {
    throw new SetupProblem("iptables is missing: install it (apt-get install iptables), then run this again.");
  }
  if (options.remove) return remove();

  const policy = { ...options, bridge: options.interface ?? (await bridgeOfEngine()) };
  if (options.dryRun) return print(policy);
  if (options.check) return check(policy);
  return enforce(policy);
}

/** @typedef {import("./firewall-rules.mjs").Policy} Policy */

/** @param {Policy} policy */
async function enforce(policy) {
  const { bridge, egress } = policy;
  for (const { family, iptables } of await usable()) {
    const rules = chainRules(family, policy);
    await restore(iptables, restoreInput(await listing(iptables), rules, jumps(bridge, "dockhost:unsealed")));
    const set = await listing(iptables);
    await restore(iptables, restoreInput(set, rules, jumps(bridge, markOf(egress, set))));
  }
  await check(policy);
}

/** @param {Policy} policy */
async function check({ bridge, egress }) {
  for (const { iptables } of await usable()) {
    const missing = whatIsMissing(await listing(iptables), bridge, egress);
    if (missing !== undefined)
      throw new SetupProblem(`Egress "${egress}" is not enforced on ${bridge} (${iptables}): ${missing}.`);
  }
  if (!neighboursAreApart(bridge)) {
    throw new SetupProblem(
      `Instances reach each other over ${bridge}: let the kernel show bridged packets to iptables (sysctl -w net.bridge.bridge-nf-call-iptables=1).`,
    );
  }
  console.log(`✓ Egress "${egress}" is enforced on ${bridge}.`);
}

/**
 * What goes from port to port of a bridge is not routed: the Engine's rule against it sees it by br_netfilter alone, which
 * the Engine switches on as it makes the bridge.
 * @param {string} bridge
 */
const neighboursAreApart = (bridge) => {
  const interfaces = read("/proc/net/dev").split("\n");
  const isMade = interfaces.some((line) => line.trim().startsWith(`${bridge}:`));
  return !isMade || read("/proc/sys/net/bridge/bridge-nf-call-iptables").trim() === "1";
};

async function remove() {
  for (const { iptables } of await usable()) await restore(iptables, restoreInput(await listing(iptables), [], []));
  console.log("✓ DockHost's rules are gone: instances reach whatever this machine reaches.");
}

/** @param {Policy} policy */
function print(policy) {
  for (const { family, iptables } of PROGRAMS) {
    const input = restoreInput("", chainRules(family, policy), jumps(policy.bridge, `dockhost:${policy.egress}`));
    console.log(`# ${iptables}-restore --noflush\n${input}`);
  }
}

/** Those that work here: a kernel without IPv6 has no rules for it, and needs none. */
async function usable() {
  const works = await Promise.all(
    PROGRAMS.map(({ family, iptables }) => family === 4 || listing(iptables).then(Boolean, () => false)),
  );
  return PROGRAMS.filter((_, index) => works[index]);
}

/** @param {string} iptables */
const listing = (iptables) => run(iptables, ["--wait", "-S"]);

/**
 * @param {string} iptables
 * @param {string} input
 */
async function restore(iptables, input) {
  const child = spawn(`${iptables}-restore`, ["--wait", "--noflush"], { stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (/** @type {Buffer} */ chunk) => (said += chunk.toString()));
  child.stdin.on("error", () => undefined).end(input);
  const { code, how } = await end(child);
  if (code !== 0) throw new SetupProblem(`"${iptables}-restore" ${how}; no rule was changed.`, lastLines(said));
}

/** The interface that the Engine gave the bridge of instances, or the one that it will get from the backend. */
async function bridgeOfEngine() {
  const format = "{{.ID}} {{.Name}}";
  const listed = await docker([
    "network",
    "ls",
    "--no-trunc",
    "--filter",
    `name=^${NETWORK}$`,
    "--format",
    format,
  ]).catch(() => {
    throw new SetupProblem(`Docker does not answer: start it, or name the bridge (--interface ${NETWORK}).`);
  });
  const id = listed.trim().split(" ")[0] ?? "";
  if (id === "") return NETWORK;
  const named = '{{index .Options "com.docker.network.bridge.name"}}';
  const name = (await docker(["network", "inspect", id, "--format", named])).trim();
  return name === "" ? `br-${id.slice(0, 12)}` : name;
}

function readOptions() {
  const { values } = parse();
  const egress = values.egress ?? (process.env["DOCKHOST_EGRESS"] || "internet");
  if (!isEgress(egress)) throw new SetupProblem(`--egress must be one of ${EGRESSES.join(", ")}.`);
  const interfaceName = values.interface;
  if (interfaceName !== undefined && !/^[A-Za-z0-9_.-]{1,15}$/.test(interfaceName)) {
    throw new SetupProblem(`--interface must be a network interface's name, such as ${NETWORK}.`);
  }
  return {
    egress,
    interface: interfaceName,
    allow: ranges("--allow", values.allow),
    refuse: ranges("--refuse", values.refuse),
    resolvers: values.dns ? ranges("--dns", values.dns) : resolversHere(),
    check: values.check,
    remove: values.remove,
    dryRun: values["dry-run"],
    help: values.help,
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        egress: { type: "string" },
        allow: { type: "string", multiple: true, default: [] },
        refuse: { type: "string", multiple: true, default: [] },
        dns: { type: "string", multiple: true },
        interface: { type: "string" },
        check: { type: "boolean", default: false },
        remove: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new SetupProblem(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}

/**
 * @param {string} option
 * @param {readonly string[]} texts
 */
const ranges = (option, texts) =>
  texts.map((text) => {
    const range = readRange(text);
    if (range === undefined) throw new SetupProblem(`${option} ${text}: that is no address and no address/bits.`);
    return range;
  });

/**
 * @param {string} text
 * @returns {text is Egress}
 */
const isEgress = (text) => EGRESSES.some((egress) => egress === text);

/** As the Engine finds them: behind systemd's stub on 127.0.0.53 stand the real ones. */
function resolversHere() {
  const own = read("/etc/resolv.conf");
  return resolversOf(own.includes("127.0.0.53") ? own + read("/run/systemd/resolve/resolv.conf") : own);
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

runAsEntry(import.meta.url, firewall);
