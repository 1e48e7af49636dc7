import { createHash } from "node:crypto";

export type EgressPolicy = "internet" | "all" | "none";

/**
 * Whether the rules of `scripts/firewall.mjs` stand, as it left them, for this bridge and this policy. The jumps into its
 * chains carry the policy and a seal of the chains, so a rule that was changed since is noticed; a rule ahead of them that
 * may let packets of the bridge pass counts as none of them standing.
 *
 * @param listing what `iptables -S` prints
 */
export function isEnforced(listing: string, bridge: string, policy: EgressPolicy): boolean {
  const rules = listing.split("\n");
  const seal = sealOf(rules);
  const jump = (chain: string, ours: string): boolean =>
    comesFirst(
      rules,
      chain,
      bridge,
      (rule) =>
        [` -i ${bridge} `, `dockhost:${policy}:${seal}`].every((part) => rule.includes(part)) &&
        rule.endsWith(` -j ${ours}`),
    );
  return (
    comesFirst(rules, "FORWARD", bridge, (rule) => rule === "-A FORWARD -j DOCKER-USER") &&
    jump("DOCKER-USER", "DOCKHOST-EGRESS") &&
    jump("INPUT", "DOCKHOST-INPUT")
  );
}

function sealOf(rules: readonly string[]): string {
  const ours = rules.filter((rule) => /^-A DOCKHOST-(EGRESS|INPUT) /.test(rule));
  return createHash("sha256").update(ours.join("\n")).digest("hex").slice(0, 16);
}

function comesFirst(
  rules: readonly string[],
  chain: string,
  bridge: string,
  wanted: (rule: string) => boolean,
): boolean {
  const own = rules.filter((rule) => rule.startsWith(`-A ${chain} `));
  const at = own.findIndex(wanted);
  return at >= 0 && !own.slice(0, at).some((rule) => mayLetPass(rule, bridge));
}

/** Anything that does more than refuse or write down, and that is not for another interface. */
function mayLetPass(rule: string, bridge: string): boolean {
  const [, only = bridge] = /(?<!!) -i (\S+)/.exec(rule) ?? [];
  const concernsBridge = only === bridge || only.endsWith("+");
  return concernsBridge && / -[jg] /.test(rule) && !/ -j (DROP|REJECT|LOG|NFLOG)\b/.test(rule);
}
