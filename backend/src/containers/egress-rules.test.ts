import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isEnforced } from "./egress-rules.ts";

const CHAINS = [
  "-A DOCKHOST-EGRESS -o dockhost -j DROP",
  "-A DOCKHOST-EGRESS -m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN",
  "-A DOCKHOST-EGRESS -d 10.0.0.0/8 -j REJECT --reject-with icmp-admin-prohibited",
  "-A DOCKHOST-INPUT -j REJECT --reject-with icmp-admin-prohibited",
];
const SEAL = createHash("sha256").update(CHAINS.join("\n")).digest("hex").slice(0, 16);
const MARK = `-m comment --comment "dockhost:internet:${SEAL}"`;

/** What `iptables -S` prints on a machine with the Engine, once the firewall's rules stand. */
const STANDING = [
  ...["-P INPUT ACCEPT", "-P FORWARD DROP", "-P OUTPUT ACCEPT", "-N DOCKER", "-N DOCKER-USER"],
  ...["-N DOCKHOST-EGRESS", "-N DOCKHOST-INPUT"],
  `-A INPUT -i dockhost ${MARK} -j DOCKHOST-INPUT`,
  ...["-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j DOCKER"],
  `-A DOCKER-USER -i dockhost ${MARK} -j DOCKHOST-EGRESS`,
  ...["-A DOCKER-USER -j RETURN", ...CHAINS, ""],
].join("\n");

test("the rules as the firewall script left them count as enforced", () => {
  expect(isEnforced(STANDING, "dockhost", "internet")).toBe(true);
});

test("an empty firewall, another policy and another bridge do not", () => {
  expect(isEnforced("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n", "dockhost", "internet")).toBe(false);
  expect(isEnforced(STANDING, "dockhost", "none")).toBe(false);
  expect(isEnforced(STANDING, "br-0123456789ab", "internet")).toBe(false);
});

test("each of the rules is missed where it is gone", () => {
  const rules = STANDING.split("\n");
  for (const gone of rules.filter((rule) => rule.includes("DOCKHOST") && rule.startsWith("-A"))) {
    const rest = rules.filter((rule) => rule !== gone).join("\n");
    expect(isEnforced(rest, "dockhost", "internet"), gone).toBe(false);
  }
  const withoutDoor = STANDING.replace("-A FORWARD -j DOCKER-USER\n", "");
  expect(isEnforced(withoutDoor, "dockhost", "internet")).toBe(false);
});

test("a rule ahead that may let packets pass counts against them, one that cannot does not", () => {
  const ahead = (rule: string) => {
    const chain = `-A ${rule.split(" ")[0] ?? ""} `;
    return isEnforced(STANDING.replace(chain, `-A ${rule}\n${chain}`), "dockhost", "internet");
  };
  expect(ahead("INPUT -p tcp -m tcp --dport 22 -j ACCEPT")).toBe(false);
  expect(ahead("DOCKER-USER ! -i eth0 -j RETURN")).toBe(false);
  expect(ahead("FORWARD -g ELSEWHERE")).toBe(false);
  expect(ahead("INPUT -i lo -j ACCEPT")).toBe(true);
  expect(ahead("DOCKER-USER -d 10.9.9.9/32 -j DROP")).toBe(true);
});
