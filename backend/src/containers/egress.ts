import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Engine } from "../engine/engine.ts";
import type { Log } from "../observe/log.ts";
import { NETWORK } from "./container-spec.ts";
import { isEnforced, type EgressPolicy } from "./egress-rules.ts";

/** Rules change without anybody telling: looked at again when somebody asks and this has passed, ms. */
const LOOK_EVERY_MS = 60_000;
/** Recovery waits for it, so no lock that another holds keeps it long, s and ms. */
const LOCK_WITHIN_S = 1;
const IPTABLES_WITHIN_MS = 2_000;

const execute = promisify(execFile);

interface EgressParts {
  engine: Engine;
  /** Whether the Engine's firewall is this machine's. */
  engineIsLocal: boolean;
  egress: EgressPolicy;
  log: Log;
  onChange: () => void;
}

/** Knows whether this machine's firewall keeps instances to what they may reach. It sets no rule: that is the operator's. */
export class Egress {
  readonly policy: EgressPolicy;
  readonly #parts: EgressParts;
  #enforced: boolean | null | undefined;
  #lookedAt = -Infinity;

  constructor(parts: EgressParts) {
    this.#parts = parts;
    this.policy = parts.egress;
  }

  /** As last seen; null where it cannot be seen from here. */
  get enforced(): boolean | null {
    if (performance.now() - this.#lookedAt > LOOK_EVERY_MS) void this.look();
    return this.#enforced ?? null;
  }

  /** Looks now, and says it in the log where it is not as before. */
  async look(): Promise<void> {
    const { engine, engineIsLocal, onChange, log } = this.#parts;
    this.#lookedAt = performance.now();
    try {
      const found = engineIsLocal ? await this.#find(await engine.bridgeInterface(NETWORK)) : null;
      if (found === this.#enforced) return;
      this.#enforced = found;
      this.#say(found);
      onChange();
    } catch (error) {
      log.debug({ error }, "The firewall could not be looked at; it will be a minute from now");
    }
  }

  async #find(bridge: string): Promise<boolean | null> {
    const [four, six] = await Promise.all([rules("iptables"), rules("ip6tables")]);
    // Not root, or no iptables. A kernel without IPv6 has no rules for it, and needs none.
    if (four === undefined) return null;
    const stand = [four, six].every((listing) => listing === undefined || isEnforced(listing, bridge, this.policy));
    return stand && (await neighboursAreApart(bridge));
  }

  #say(enforced: boolean | null): void {
    const { log } = this.#parts;
    const setting = `DOCKHOST_EGRESS=${this.policy}`;
    if (enforced === true) log.info({}, `This machine's firewall keeps instances to ${setting}`);
    else if (enforced === null) {
      const ask = `npm run firewall -- --check --egress ${this.policy}`;
      log.warn(
        {},
        `Whether the firewall keeps instances to ${setting} cannot be seen from here; as root, '${ask}' tells`,
      );
    } else {
      const mend = `npm run firewall -- --egress ${this.policy}`;
      log.warn({}, `This machine's firewall does not keep instances to ${setting}; as root, '${mend}' makes it`);
    }
  }
}

/**
 * What goes from port to port of a bridge is not routed: the Engine's rule against it sees it by br_netfilter alone, which
 * the Engine switches on as it makes the bridge.
 */
async function neighboursAreApart(bridge: string): Promise<boolean> {
  const interfaces = (await read("/proc/net/dev")).split("\n");
  const isMade = interfaces.some((line) => line.trim().startsWith(`${bridge}:`));
  return !isMade || (await read("/proc/sys/net/bridge/bridge-nf-call-iptables")).trim() === "1";
}

const read = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");

/** What `-S` prints; undefined where it may not be seen. */
async function rules(iptables: string): Promise<string | undefined> {
  return execute(iptables, ["--wait", String(LOCK_WITHIN_S), "-S"], { timeout: IPTABLES_WITHIN_MS }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}
