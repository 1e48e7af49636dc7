import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineDouble } from "../../test/engine-double.ts";
import { createLog } from "../observe/log.ts";
import { Egress } from "./egress.ts";

const CHAIN = "-A DOCKHOST-EGRESS -j REJECT --reject-with icmp-admin-prohibited";
const MARK = `-m comment --comment "dockhost:none:${createHash("sha256").update(CHAIN).digest("hex").slice(0, 16)}"`;
const STANDING = [
  `-A INPUT -i dockhost ${MARK} -j DOCKHOST-INPUT`,
  "-A FORWARD -j DOCKER-USER",
  `-A DOCKER-USER -i dockhost ${MARK} -j DOCKHOST-EGRESS`,
  CHAIN,
].join("\n");

let folder: string;
let lines: string[];
let changes: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dockhost-egress-"));
  vi.stubEnv("PATH", `${folder}:${process.env.PATH ?? ""}`);
  lines = [];
  changes = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** The machine's iptables answers so from now on. */
async function iptables(answer: string, code = 0): Promise<void> {
  for (const name of ["iptables", "ip6tables"]) {
    const program = join(folder, name);
    await writeFile(program, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\nexit ${code}\n`);
    await chmod(program, 0o755);
  }
}

const egress = (engineIsLocal = true): Egress =>
  new Egress({
    engine: new EngineDouble(),
    engineIsLocal,
    egress: "none",
    onChange: () => (changes += 1),
    log: createLog({ format: "json", level: "info", destination: { write: (line: string) => lines.push(line) } }),
  });

test("rules that stand are told once, however often they are looked at", async () => {
  await iptables(STANDING);
  const watched = egress();
  expect(watched.enforced).toBe(null);
  await watched.look();
  await watched.look();
  expect(watched.enforced).toBe(true);
  expect([changes, lines.length]).toEqual([1, 1]);
});

test("rules that do not stand are told with the command that sets them", async () => {
  await iptables("-P FORWARD ACCEPT");
  const watched = egress();
  await watched.look();
  expect(watched.enforced).toBe(false);
  expect(lines.join()).toContain("npm run firewall -- --egress none");
});

test("where iptables may not be asked, or the Engine is another machine's, nothing is claimed", async () => {
  await iptables("", 4);
  const unprivileged = egress();
  await unprivileged.look();
  expect(unprivileged.enforced).toBe(null);

  await iptables(STANDING);
  const remote = egress(false);
  await remote.look();
  expect(remote.enforced).toBe(null);
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toContain("cannot be seen from here");
});

test("rules that somebody flushes are missed a minute later", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  await iptables(STANDING);
  const watched = egress();
  await watched.look();
  await iptables("-P FORWARD ACCEPT");
  expect(watched.enforced).toBe(true);
  expect(changes).toBe(1);
  vi.advanceTimersByTime(60_001);
  expect(watched.enforced).toBe(true);
  await expect.poll(() => watched.enforced).toBe(false);
  expect(changes).toBe(2);
});
