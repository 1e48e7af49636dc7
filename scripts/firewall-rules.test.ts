import { describe, expect, test } from "vitest";
import {
  chainRules,
  type Egress,
  jumps,
  markOf,
  readRange,
  resolversOf,
  restoreInput,
  whatIsMissing,
} from "./firewall-rules.mjs";

const bridge = "dockhost";
const lines = (rules: string[][]) => rules.map((rule) => rule.join(" "));
const egressRules = (rules: string[][]) => lines(rules).filter((rule) => rule.startsWith("-A DOCKHOST-EGRESS"));
const inputRules = (rules: string[][]) => lines(rules).filter((rule) => rule.startsWith("-A DOCKHOST-INPUT"));

const ANSWERS = "-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN";
const REJECT = "-j REJECT --reject-with icmp-admin-prohibited";

describe("the rules", () => {
  test("under none, only answers leave an instance", () => {
    const rules = chainRules(4, { bridge, egress: "none", resolvers: ["10.0.0.53"] });
    expect(egressRules(rules)).toEqual([
      "-A DOCKHOST-EGRESS -o dockhost -j DROP",
      `-A DOCKHOST-EGRESS ${ANSWERS}`,
      `-A DOCKHOST-EGRESS ${REJECT}`,
    ]);
    expect(inputRules(rules)).toEqual([`-A DOCKHOST-INPUT ${ANSWERS}`, `-A DOCKHOST-INPUT ${REJECT}`]);
  });

  test("under internet, every private range is refused, and port 53 of the name server comes first", () => {
    const rules = egressRules(chainRules(4, { bridge, egress: "internet", resolvers: ["10.0.0.53"] }));
    expect(rules.slice(2, 4)).toEqual(
      ["udp", "tcp"].map((protocol) => `-A DOCKHOST-EGRESS -d 10.0.0.53 -p ${protocol} --dport 53 -j RETURN`),
    );
    const ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"];
    for (const range of [...ranges, "224.0.0.0/4", "240.0.0.0/4", "0.0.0.0/8"]) {
      expect(rules.slice(4)).toContain(`-A DOCKHOST-EGRESS -d ${range} ${REJECT}`);
    }
  });

  test("under all, the LAN is open and cloud metadata is not", () => {
    const rules = egressRules(chainRules(4, { bridge, egress: "all" }));
    expect(rules.join("\n")).not.toContain("10.0.0.0/8");
    expect(rules).toContain(`-A DOCKHOST-EGRESS -d 169.254.0.0/16 ${REJECT}`);
  });

  test("under each, neighbours come first and this machine last, and both are refused", () => {
    for (const egress of ["internet", "all", "none"] as const) {
      for (const family of [4, 6] as const) {
        const rules = chainRules(family, { bridge, egress, allow: ["10.1.2.3", "fd00::1"] });
        expect(egressRules(rules)[0]).toBe("-A DOCKHOST-EGRESS -o dockhost -j DROP");
        expect(inputRules(rules).at(-1)).toMatch(/^-A DOCKHOST-INPUT -j REJECT /);
      }
    }
  });

  test("what is allowed goes before what is refused, each address among the rules of its own family", () => {
    const policy = { bridge, egress: "internet", allow: ["10.1.2.0/24", "fd00::1"], refuse: ["11.0.0.0/8"] } as const;
    const four = egressRules(chainRules(4, policy));
    const allowed = four.indexOf("-A DOCKHOST-EGRESS -d 10.1.2.0/24 -j RETURN");
    expect(allowed).toBeGreaterThan(0);
    expect(allowed).toBeLessThan(four.indexOf(`-A DOCKHOST-EGRESS -d 10.0.0.0/8 ${REJECT}`));
    expect(four).toContain(`-A DOCKHOST-EGRESS -d 11.0.0.0/8 ${REJECT}`);
    expect(four.join("\n")).not.toContain("fd00");
    const six = egressRules(chainRules(6, policy));
    expect(six).toContain("-A DOCKHOST-EGRESS -d fd00::1 -j RETURN");
    expect(six.join("\n")).not.toContain("10.1.2.0");
  });
});

/** What `iptables -S` prints once the rules stand. */
function standing(egress: Egress = "internet"): string {
  const chains = lines(chainRules(4, { bridge, egress }));
  const [user, input] = jumps(bridge, markOf(egress, chains.join("\n"))).map((rule) =>
    rule.join(" ").replace(/^-I (\S+) 1/, "-A $1"),
  );
  const policies = ["-P INPUT ACCEPT", "-P FORWARD DROP", "-P OUTPUT ACCEPT"];
  return [...policies, "-N DOCKER-USER", "-N DOCKHOST-EGRESS", "-N DOCKHOST-INPUT"]
    .concat([input ?? "", "-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j DOCKER"])
    .concat([user ?? "", "-A DOCKER-USER -j RETURN", ...chains, ""])
    .join("\n");
}

describe("the check", () => {
  test("is content with what the rules make", () => {
    expect(whatIsMissing(standing(), bridge, "internet")).toBeUndefined();
  });

  test("finds an empty firewall, another bridge and another policy", () => {
    expect(whatIsMissing("-P INPUT ACCEPT\n", bridge, "internet")).toContain("DOCKER-USER does not lead");
    expect(whatIsMissing(standing(), "br-0123456789ab", "internet")).toContain("does not lead");
    expect(whatIsMissing(standing("all"), bridge, "internet")).toContain("another policy");
  });

  test("finds each missing rule", () => {
    const whole = standing().split("\n");
    for (const rule of whole.filter((line) => /-A (DOCKHOST|FORWARD -j DOCKER-USER)|-j DOCKHOST/.test(line))) {
      const rest = whole.filter((line) => line !== rule).join("\n");
      expect(whatIsMissing(rest, bridge, "internet"), rule).toBeDefined();
    }
  });

  test("finds a rule that was added, and one that lets packets pass before ours", () => {
    const within = standing().replace("-A DOCKHOST-EGRESS", "-A DOCKHOST-EGRESS -j RETURN\n-A DOCKHOST-EGRESS");
    expect(whatIsMissing(within, bridge, "internet")).toContain("changed since");
    for (const ahead of ["INPUT -j ACCEPT", "FORWARD ! -i eth0 -j ACCEPT", "DOCKER-USER -i dock+ -g ELSEWHERE"]) {
      const [chain = ""] = ahead.split(" ");
      const listing = standing().replace(`-A ${chain} `, `-A ${ahead}\n-A ${chain} `);
      expect(whatIsMissing(listing, bridge, "internet")).toBe(`this rule comes before it: -A ${ahead}`);
    }
  });

  test("minds no rule ahead that is for another interface, or that only refuses", () => {
    for (const ahead of [
      "INPUT -i lo -j ACCEPT",
      "FORWARD -i docker0 -j ACCEPT",
      "DOCKER-USER -d 10.9.9.9/32 -j DROP",
    ]) {
      const [chain = ""] = ahead.split(" ");
      const listing = standing().replace(`-A ${chain} `, `-A ${ahead}\n-A ${chain} `);
      expect(whatIsMissing(listing, bridge, "internet")).toBeUndefined();
    }
  });
});

describe("what iptables-restore is given", () => {
  const rules = chainRules(4, { bridge, egress: "none" });

  test("makes on an empty firewall all that it needs, the Engine's door too", () => {
    const input = restoreInput("-P INPUT ACCEPT\n", rules, jumps(bridge, "m"));
    expect(input).toContain(":DOCKER-USER - [0:0]\n:DOCKHOST-EGRESS - [0:0]\n:DOCKHOST-INPUT - [0:0]\n");
    expect(input).toContain("-I FORWARD 1 -j DOCKER-USER\n");
  });

  test("replaces on a second run, and never declares the Engine's chain, which would empty it", () => {
    const input = restoreInput(standing(), rules, jumps(bridge, "m"));
    expect(input).not.toContain(":DOCKER-USER");
    expect(input).not.toContain("-I FORWARD");
    expect(input.match(/^-D /gm)).toHaveLength(2);
    expect(input.match(/^-I /gm)).toHaveLength(2);
  });

  test("takes away what is ours and nothing else", () => {
    const input = restoreInput(standing(), [], []);
    const [user, own] =
      standing()
        .match(/(?<=^-A ).* -j DOCKHOST-\w+$/gm)
        ?.reverse() ?? [];
    expect(input.trim().split("\n").sort()).toEqual(
      ["*filter", ":DOCKHOST-EGRESS - [0:0]", ":DOCKHOST-INPUT - [0:0]"]
        .concat([`-D ${user ?? ""}`, `-D ${own ?? ""}`, "-X DOCKHOST-EGRESS", "-X DOCKHOST-INPUT", "COMMIT"])
        .sort(),
    );
    expect(restoreInput("-P INPUT ACCEPT\n", [], [])).toBe("*filter\nCOMMIT\n");
  });
});

test("a range is an address with or without bits, and nothing that could be read as more", () => {
  for (const good of ["10.0.0.0/8", "1.2.3.4", "fd00::/8", "::1"]) expect(readRange(good)).toBe(good);
  for (const bad of ["", "10.0.0.0/33", "10.0.0", "::/129", "1.2.3.4/", "fe80::1%eth0", "1.2.3.4 -j ACCEPT", "lan\n"]) {
    expect(readRange(bad), bad).toBeUndefined();
  }
});

test("name servers are those of resolv.conf that an instance asks itself", () => {
  const text =
    "# nameserver 9.9.9.9\nsearch lan\nnameserver 127.0.0.53\nnameserver 10.0.0.53\n nameserver\tfd00::53 \n";
  expect(resolversOf(text + "nameserver fe80::1%eth0\nnameserver ::1\n")).toEqual(["10.0.0.53", "fd00::53"]);
});
