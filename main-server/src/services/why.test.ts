import { describe, expect, it, test } from "vitest";
import { statusOf } from "../testing/fake-backend.ts";
import { namesBackend, whyBackend, whyInstance } from "./why.ts";

const NOON = "2026-01-02T12:00:59.000Z";
const SEEN = "2026-01-02 12:00 UTC";

const fine = {
  state: "running",
  stateReason: null,
  pendingCommand: null,
  wishedState: "running",
  stateSince: NOON,
  createdAt: NOON,
} as const;
const backend = { name: "lab-1", online: true, lastSeenAt: NOON, dockerReachable: true };

test("where all is well nothing is said", () => {
  expect(whyInstance(fine, backend)).toBeNull();
  expect(whyBackend(true, NOON, statusOf(), 0)).not.toBeNull();
  expect(whyBackend(true, NOON, wellKept(), 0)).toBeNull();
});

describe("an instance that is not as wished says", () => {
  const offline = { ...backend, online: false };
  const noDocker = { ...backend, dockerReachable: false };
  const failed = { state: "failed" } as const;

  it.each([
    [
      "where and since when it is being created, and for how long",
      { state: "creating" },
      backend,
      ["backend lab-1", SEEN, "16 minutes"],
    ],
    [
      "since when its backend is away, and that it comes back",
      {},
      offline,
      [`not connected (last seen ${SEEN})`, "was running", "30 s"],
    ],
    [
      "so also while it is being created",
      { state: "creating" },
      offline,
      ["was being created", "dials again by itself"],
    ],
    [
      "that Docker is away, and what is done about it",
      {},
      noDocker,
      ["Docker does not answer on the backend lab-1", "by itself"],
    ],
    [
      "that its owner stopped it, and how to start it",
      { state: "stopped", wishedState: "stopped" },
      backend,
      ["Its owner stopped it at", SEEN, "start"],
    ],
    [
      "that somebody else stopped it",
      { state: "stopped" },
      backend,
      ["It should run, but was stopped on the backend's machine"],
    ],
    [
      "that it died, and by which exit code",
      { ...failed, stateReason: "exit 2" },
      backend,
      ["ended by itself at", "exit code 2", "log"],
    ],
    [
      "that memory ran out",
      { ...failed, stateReason: "out of memory, exit 137" },
      backend,
      ["out of memory", "exit code 137", "limit"],
    ],
    [
      "that it died, where no more is known",
      { ...failed, stateReason: "failed", stateSince: null },
      backend,
      ["ended by itself; its log"],
    ],
    ["that Docker starts it again and again", { state: "restarting" }, backend, ["Docker is starting it again"]],
    [
      "that it is gone, and what is left to do",
      { state: "gone" },
      backend,
      ["removed on the backend lab-1 by hand", "delete this instance"],
    ],
    ["so also where its backend is away", { state: "gone" }, offline, ["removed on the backend lab-1"]],
    [
      "which command is under way",
      { pendingCommand: "stop-container" },
      backend,
      ["Its stop was asked for", "2 minutes"],
    ],
    ["so of a start", { state: "stopped", pendingCommand: "start-container" }, backend, ["Its start was asked for"]],
    ["so of a deletion", { pendingCommand: "delete-container" }, backend, ["Its deletion was asked for"]],
  ] as const)("%s", (_, record, facts, words) => {
    const why = whyInstance({ ...fine, ...record }, facts);
    for (const one of words) expect(why).toContain(one);
    expect(why).toMatch(ONE_SENTENCE);
    expect(why?.toLowerCase().includes("lab-1")).toBe(namesBackend({ ...fine, ...record }, facts));
  });
});

describe("a backend that does not serve as it could says", () => {
  const { usage, capacity } = wellKept();

  it.each([
    ["that it was never there", false, null, null, 0, ["never been connected", "agent"]],
    [
      "since when it is away, that it dials again, and what to look at",
      false,
      NOON,
      wellKept(),
      7,
      [`last seen ${SEEN}`, "30 s at most", "revoked"],
    ],
    ["that it has not reported yet", true, NOON, null, 0, ["not reported yet"]],
    [
      "that Docker is away",
      true,
      NOON,
      wellKept({ docker: { reachable: false, version: null } }),
      0,
      ["Docker does not answer"],
    ],
    ["that it drains", true, NOON, wellKept({ draining: true }), 0, ["draining as its owner asked"]],
    ["that it is full", true, NOON, wellKept({ usage: { ...usage, containers: 50 } }), 0, ["50 of at most 50"]],
    [
      "that memory is short",
      true,
      NOON,
      wellKept({ usage: { ...usage, memoryAvailableMiB: 511 } }),
      0,
      ["511 MiB of memory"],
    ],
    [
      "that its disk is full",
      true,
      NOON,
      wellKept({ usage: { ...usage, diskFreeMiB: 2047 } }),
      0,
      ["2047 MiB of disk"],
    ],
    [
      "that nothing keeps its instances to the internet",
      true,
      NOON,
      wellKept({ capacity: { ...capacity, egressEnforced: false } }),
      0,
      ["the public internet alone", "npm run firewall"],
    ],
    ["that one container is nobody's", true, NOON, wellKept(), 1, ["1 container on it is on no record"]],
    ["how many are", true, NOON, wellKept(), 3, ["3 containers on it are on no record"]],
  ] as const)("%s", (_, online, lastSeenAt, status, unknownContainers, words) => {
    const why = whyBackend(online, lastSeenAt, status, unknownContainers);
    for (const one of words) expect(why).toContain(one);
    expect(why).toMatch(ONE_SENTENCE);
  });

  it("one sentence for each thing, where there are several", () => {
    const why = whyBackend(true, NOON, wellKept({ draining: true }), 2);
    expect(why).toMatch(/draining.*\. 2 containers.*\.$/);
  });

  it("nothing of a firewall where instances may reach everything, or where it cannot be seen", () => {
    const ways = [
      { egress: "all", egressEnforced: false } as const,
      { egress: "internet", egressEnforced: null } as const,
    ];
    for (const way of ways) {
      expect(whyBackend(true, NOON, wellKept({ capacity: { ...capacity, ...way } }), 0)).toBeNull();
    }
  });
});

const ONE_SENTENCE = /^[A-Z1-9](?:(?!\. ).)*[^.]\.$/;

function wellKept(changes: Partial<ReturnType<typeof statusOf>> = {}) {
  const status = statusOf();
  return { ...status, capacity: { ...status.capacity, egressEnforced: true }, ...changes };
}
