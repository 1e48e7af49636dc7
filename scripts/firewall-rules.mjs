import { createHash } from "node:crypto";
import { isIP } from "node:net";

/**
 * What instances may reach, as rules of iptables. Pure: the rules go in as data and come out as data, one array of
 * arguments each.
 *
 * @typedef {"internet" | "all" | "none"} Egress
 * @typedef {4 | 6} Family
 *
 * @typedef {object} Policy
 * @property {string} bridge interface of the instances' bridge
 * @property {Egress} egress
 * @property {readonly string[]} [allow] addresses or ranges that are reached all the same
 * @property {readonly string[]} [refuse] further addresses or ranges that are not reached
 * @property {readonly string[]} [resolvers] addresses of which port 53 is reached
 */

/** Of a packet that an instance sends to anywhere but the machine itself. */
export const EGRESS_CHAIN = "DOCKHOST-EGRESS";
/** Of a packet that an instance sends to the machine itself, at whichever of its addresses. */
export const INPUT_CHAIN = "DOCKHOST-INPUT";
/** The Engine's own door for an administrator's rules: it asks it before its own, and never empties it. */
export const ENGINE_CHAIN = "DOCKER-USER";

/** @type {readonly Egress[]} */
export const EGRESSES = ["internet", "all", "none"];

/** Where clouds tell a machine its secrets: refused also where the LAN is open. */
const METADATA = {
  4: ["169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"],
  6: ["fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128"],
};

/** What is no address of the public internet, by IANA's registries of special-purpose addresses. */
const NOT_PUBLIC = {
  4: [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
    ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
    ...["224.0.0.0/4", "240.0.0.0/4"],
  ],
  6: [
    ...["::/128", "::1/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"],
    ...["fc00::/7", "fec0::/10", "ff00::/8"],
  ],
};

/** Where the others dialled first: by direction, so that no connection outlives a rule that is set later. */
const ANSWERS = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "--ctdir", "REPLY"];

/**
 * The rules of our two chains.
 * @param {Family} family
 * @param {Policy} policy
 * @returns {string[][]} each begins with `-A <chain>`
 */
export function chainRules(family, { bridge, egress, allow = [], refuse = [], resolvers = [] }) {
  const own = (/** @type {readonly string[]} */ addresses) => addresses.filter((one) => familyOf(one) === family);
  const pass = ["-j", "RETURN"];
  const reject = ["-j", "REJECT", "--reject-with", family === 4 ? "icmp-admin-prohibited" : "icmp6-adm-prohibited"];

  const neighbours = [["-o", bridge, "-j", "DROP"]];
  const answers = [[...ANSWERS, ...pass]];
  const exceptions = own(allow).map((address) => ["-d", address, ...pass]);
  const names = own(egress === "none" ? [] : resolvers).flatMap((address) =>
    ["udp", "tcp"].map((protocol) => ["-d", address, "-p", protocol, "--dport", "53", ...pass]),
  );
  const closed = { none: undefined, all: METADATA[family], internet: [...METADATA[family], ...NOT_PUBLIC[family]] };
  const refused = closed[egress]
    ? [...closed[egress], ...own(refuse)].map((range) => ["-d", range, ...reject])
    : [reject];
  // Without them nobody on an IPv6 link finds anybody: neighbour solicitation and advertisement.
  const links = family === 6 ? ["135", "136"].map((type) => ["-p", "ipv6-icmp", "--icmpv6-type", type, ...pass]) : [];

  const chain = (/** @type {string} */ name, /** @type {string[][]} */ rules) =>
    rules.map((rule) => ["-A", name, ...rule]);
  return [
    ...chain(EGRESS_CHAIN, [...neighbours, ...answers, ...exceptions, ...names, ...refused]),
    ...chain(INPUT_CHAIN, [...answers, ...links, ...exceptions, ...names, reject]),
  ];
}

/**
 * How packets from the bridge come into our chains. The mark tells who looks later what was meant.
 * @param {string} bridge
 * @param {string} mark
 */
export const jumps = (bridge, mark) =>
  [
    [ENGINE_CHAIN, EGRESS_CHAIN],
    ["INPUT", INPUT_CHAIN],
  ].map(([from, to]) => ["-I", `${from}`, "1", "-i", bridge, "-m", "comment", "--comment", mark, "-j", `${to}`]);

/**
 * What the jumps into our chains carry: the policy, and a seal of the chains as iptables prints them, so that
 * whoever changes a rule afterwards is noticed without anybody knowing the rules.
 * @param {Egress} egress
 * @param {string} listing what `iptables -S` prints
 */
export function markOf(egress, listing) {
  const ours = rulesOf(listing, [EGRESS_CHAIN, INPUT_CHAIN]);
  return `dockhost:${egress}:${createHash("sha256").update(ours.join("\n")).digest("hex").slice(0, 16)}`;
}

/**
 * What keeps the policy from being enforced, as the end of a sentence; undefined where it is enforced.
 * @param {string} listing what `iptables -S` prints
 * @param {string} bridge
 * @param {Egress} egress
 */
export function whatIsMissing(listing, bridge, egress) {
  const mark = markOf(egress, listing);
  for (const [from, to] of [
    [ENGINE_CHAIN, EGRESS_CHAIN],
    ["INPUT", INPUT_CHAIN],
  ]) {
    const isJump = (/** @type {string} */ rule) => rule.includes(` -i ${bridge} `) && rule.endsWith(` -j ${to}`);
    const rules = rulesOf(listing, [`${from}`]);
    const jump = rules.find(isJump);
    if (jump === undefined) return `${from} does not lead packets of ${bridge} to ${to}`;
    if (!jump.includes(mark)) return `${to} was made for another policy, or changed since`;
    const first = whatPassesBefore(rules, bridge, isJump);
    if (first !== undefined) return `this rule comes before it: ${first}`;
  }
  const leadsToEngineChain = (/** @type {string} */ rule) => rule === `-A FORWARD -j ${ENGINE_CHAIN}`;
  const forward = rulesOf(listing, ["FORWARD"]);
  if (!forward.some(leadsToEngineChain)) return `FORWARD does not lead to ${ENGINE_CHAIN}`;
  const first = whatPassesBefore(forward, bridge, leadsToEngineChain);
  return first === undefined ? undefined : `this rule comes before it: ${first}`;
}

/**
 * What is to be fed to `iptables-restore --noflush`, which carries out all of it or nothing.
 * @param {string} listing what `iptables -S` prints now
 * @param {readonly string[][]} rules of our chains; none: the chains go
 * @param {readonly string[][]} leading into our chains
 */
export function restoreInput(listing, rules, leading) {
  const exists = (/** @type {string} */ chain) => listing.split("\n").includes(`-N ${chain}`);
  const ours = [EGRESS_CHAIN, INPUT_CHAIN];
  const isOldJump = (/** @type {string} */ rule) => ours.some((chain) => rule.endsWith(` -j ${chain}`));
  const oldJumps = listing.split("\n").filter((rule) => rule.startsWith("-A ") && isOldJump(rule));
  const removed = rules.length === 0;

  const declared = removed ? ours.filter(exists) : ours;
  const engineChain = removed || exists(ENGINE_CHAIN) ? [] : [ENGINE_CHAIN];
  const led = removed || listing.split("\n").includes(`-A FORWARD -j ${ENGINE_CHAIN}`);
  return [
    "*filter",
    ...[...engineChain, ...declared].map((chain) => `:${chain} - [0:0]`),
    ...oldJumps.map((rule) => rule.replace("-A ", "-D ")),
    ...(led ? [] : [`-I FORWARD 1 -j ${ENGINE_CHAIN}`]),
    ...[...rules, ...leading].map((rule) => rule.join(" ")),
    ...(removed ? declared.map((chain) => `-X ${chain}`) : []),
    "COMMIT",
    "",
  ].join("\n");
}

/**
 * An address or a range, as iptables takes it; undefined where the text is neither.
 * @param {string} text
 */
export function readRange(text) {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || address.includes("%")) return undefined;
  return Number(bits ?? 0) <= (family === 4 ? 32 : 128) ? text : undefined;
}

/**
 * The servers that the Engine forwards an instance's questions to, where they are not told to it: the machine's own, but for
 * those on its loopback, which the Engine asks itself.
 * @param {string} resolvConf
 */
export function resolversOf(resolvConf) {
  const named = [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => `${address}`);
  return named.filter((address) => isIP(address) !== 0 && !/^127\.|^::1$|%/.test(address));
}

/** @param {string} range */
const familyOf = (range) => isIP(range.replace(/\/.*/, ""));

/**
 * @param {string} listing
 * @param {readonly string[]} chains
 */
const rulesOf = (listing, chains) =>
  listing.split("\n").filter((rule) => chains.some((chain) => rule.startsWith(`-A ${chain} `)));

/**
 * The first rule ahead of `wanted` by which packets of the bridge may get past it: anything that does more than refuse
 * or write down, and that is not for another interface.
 * @param {readonly string[]} rules
 * @param {string} bridge
 * @param {(rule: string) => boolean} wanted
 */
function whatPassesBefore(rules, bridge, wanted) {
  const ahead = rules.slice(0, rules.findIndex(wanted));
  return ahead.find((rule) => {
    const [, only = bridge] = /(?<!!) -i (\S+)/.exec(rule) ?? [];
    const concernsUs = only === bridge || only.endsWith("+");
    return concernsUs && / -[jg] /.test(rule) && !/ -j (DROP|REJECT|LOG|NFLOG)\b/.test(rule);
  });
}
