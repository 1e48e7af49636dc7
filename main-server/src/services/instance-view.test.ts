import fc from "fast-check";
import { expect, test } from "vitest";
import type { InstanceRecord } from "../store/instances-store.ts";
import { sshHost, viewInstance } from "./instance-view.ts";

const far = { online: true, remoteAddress: "203.0.113.9", addresses: [] };

test("a backend of this machine is reached where the main server was", () => {
  const local = { online: true, remoteAddress: "127.0.0.1", addresses: ["192.0.2.1"] };
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
  operationId: null,
  pendingCommand: null,
  createRequest: null,
  createdAt: "2026-01-01T00:00:00.000Z",
};

test("whatever a backend or a request says, the ssh command holds nothing that a shell would act on", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("$(reboot)", "a;b", "-oProxyCommand=x", "root`id`", "127.0.0.1"));
  fc.assert(
    fc.property(text, text, text, text, (sshUser, remoteAddress, address, host) => {
      const backend = { online: true, remoteAddress, addresses: [address] };
      const { ssh } = viewInstance({ ...record, sshUser }, backend, host);
      expect(ssh?.command).toMatch(/^ssh -p 1024 [a-z_][a-z0-9_-]*@[A-Za-z0-9:][A-Za-z0-9.:-]*$/);
    }),
    { numRuns: 10_000 },
  );
});
