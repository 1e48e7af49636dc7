import fc from "fast-check";
import { expect, test } from "vitest";
import type { InstanceRecord } from "../store/instances-store.ts";
import { hostKeyOf } from "../testing/fake-backend.ts";
import { sshHost, viewInstance } from "./instance-view.ts";

const KNOWN_HOST = hostKeyOf("ada");
const far = { remoteAddress: "203.0.113.9", addresses: [] };

test("a backend of this machine is reached where the main server was", () => {
  const local = { remoteAddress: "127.0.0.1", addresses: ["192.0.2.1"] };
  expect(sshHost(local, "localhost")).toBe("127.0.0.1");
  expect(sshHost(local, "::1")).toBe("127.0.0.1");
  expect(sshHost({ ...local, remoteAddress: "::ffff:127.0.0.1" }, "127.0.0.1")).toBe("127.0.0.1");
  expect(sshHost(local, "dock.example")).toBe("dock.example");
});

test("a backend elsewhere is reached at its first address that others can reach, else where it dials from", () => {
  expect(sshHost({ ...far, addresses: ["127.0.0.1", "fe80::1", "169.254.0.1", "192.0.2.7"] }, "x")).toBe("192.0.2.7");
  expect(sshHost({ ...far, addresses: ["; reboot"] }, "x")).toBe("203.0.113.9");
  expect(sshHost({ ...far, remoteAddress: "::ffff:203.0.113.9" }, "x")).toBe("203.0.113.9");
});

const fine = { name: "lab-1", online: true, lastSeenAt: null, dockerReachable: true };

const record: InstanceRecord = {
  id: "i",
  userId: "u",
  username: "ada",
  backendId: "b",
  state: "running",
  stateReason: null,
  containerId: "c",
  ports: { ssh: 1024, http: 1025, https: 1026 },
  image: "dockhost/instance",
  sshUser: "root",
  hostKeyFingerprint: null,
  hostKey: null,
  operationId: null,
  pendingCommand: null,
  createRequest: null,
  wishedState: "running",
  stateSince: null,
  createdAt: "2026-01-01T00:00:00.000Z",
};

test("a login is told in its parts, and as a whole line for known_hosts", () => {
  const { ssh } = viewInstance({ ...record, ...KNOWN_HOST }, { ...fine, ...far, addresses: ["2001:db8::7"] }, "x");
  expect(ssh).toEqual({
    command: "ssh -p 1024 root@2001:db8::7",
    host: "2001:db8::7",
    port: 1024,
    user: "root",
    hostKeyFingerprint: KNOWN_HOST.hostKeyFingerprint,
    knownHosts: `[2001:db8::7]:1024 ${KNOWN_HOST.hostKey}`,
  });
});

test("whatever a backend or a request says, the ssh command holds nothing that a shell would act on", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("$(reboot)", "a;b", "-oProxyCommand=x", "root`id`", "127.0.0.1"));
  fc.assert(
    fc.property(text, text, text, text, (sshUser, remoteAddress, address, host) => {
      const backend = { ...fine, remoteAddress, addresses: [address] };
      const { ssh } = viewInstance({ ...record, ...KNOWN_HOST, sshUser }, backend, host);
      expect(ssh?.command).toMatch(/^ssh -p 1024 [a-z_][a-z0-9_-]*@[A-Za-z0-9:][A-Za-z0-9.:-]*$/);
      expect(ssh?.knownHosts).toMatch(/^\[[A-Za-z0-9:][A-Za-z0-9.:-]*\]:1024 ssh-ed25519 [A-Za-z0-9+/]{68}$/);
    }),
    { numRuns: 10_000 },
  );
});
