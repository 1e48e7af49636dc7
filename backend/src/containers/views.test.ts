import { describe, expect, it } from "vitest";
import type { Claim } from "./slot-directories.ts";
import { containerView, type Owned } from "./views.ts";

const OWNED: Owned = {
  containerId: "0123456789ab",
  username: "ada",
  slot: "s",
  base: 1024,
  state: "running",
  image: "i",
  createdAt: new Date(0),
};
const CLAIM: Claim = {
  username: "ada",
  createdAt: "2026-01-02T03:04:05.678Z",
  requestHash: "h",
  shouldRun: true,
  deleting: false,
  keysMounted: true,
};

describe("a container's state", () => {
  const exited = (exitCode: number, oomKilled = false) => ({ exitCode, oomKilled });

  it.each([
    ["running", "running", undefined, true, "running"],
    ["running, although paused by hand", "paused", undefined, true, "running"],
    ["restarting, between two crashes", "restarting", undefined, true, "restarting"],
    ["stopped, where its user wished so, whatever its exit code", "exited", exited(1), false, "stopped"],
    ["stopped, where it ended in peace or by a signal", "exited", exited(143), true, "stopped"],
    ["failed, where it ended with an error", "exited", exited(1), true, "failed"],
    ["failed, where memory ran out", "exited", exited(137, true), true, "failed"],
    ["failed, where it never started", "created", exited(0), true, "failed"],
    ["failed, where the Engine gave it up", "dead", exited(0), true, "failed"],
  ] as const)("is %s", (_, engineState, exit, shouldRun, state) => {
    expect(containerView({ ...OWNED, state: engineState, exit }, { ...CLAIM, shouldRun }).state).toBe(state);
  });

  it("comes with how it ended, only where it is not running", () => {
    expect(containerView({ ...OWNED, state: "exited", exit: exited(137, true) }, CLAIM)).toMatchObject({
      exitCode: 137,
      oomKilled: true,
    });
    expect(containerView(OWNED, CLAIM)).not.toHaveProperty("exitCode");
  });
});

describe("a container's view", () => {
  it("names the moment of its claim, and the host key once SSH has answered", () => {
    const fingerprint = `SHA256:${"A".repeat(43)}`;
    expect(containerView(OWNED, { ...CLAIM, hostKeyFingerprint: fingerprint })).toMatchObject({
      createdAt: CLAIM.createdAt,
      ssh: { user: "root", hostKeyFingerprint: fingerprint },
    });
    expect(containerView(OWNED, CLAIM)).not.toHaveProperty("ssh");
  });

  it("tells the host key itself where the claim has it, as those of an older backend have not", () => {
    const hostKeyFingerprint = `SHA256:${"A".repeat(43)}`;
    const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
    const ssh = { user: "root", hostKeyFingerprint };
    expect(containerView(OWNED, { ...CLAIM, hostKeyFingerprint, hostKey }).ssh).toEqual({ ...ssh, hostKey });
    expect(containerView(OWNED, { ...CLAIM, hostKeyFingerprint }).ssh).toEqual(ssh);
  });

  it("needs no claim: Docker's record says the rest", () => {
    expect(containerView(OWNED, undefined)).toMatchObject({ createdAt: "1970-01-01T00:00:00.000Z" });
  });
});
