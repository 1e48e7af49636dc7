import { describe, expect, it } from "vitest";
import { DockerApiError } from "./docker-api.ts";
import { isConnectionLost, toEngineError } from "./docker-errors.ts";

const answered = (status: number, message: string) => new DockerApiError(status, message);

describe("what the Engine answers", () => {
  it.each([
    [404, "No such container: x", "not-found"],
    [409, 'Conflict. The container name "/dockhost-ada" is already in use by container "1f".', "name-taken"],
    [409, "network with name dockhost already exists", "name-taken"],
    [500, "driver failed: Bind for 0.0.0.0:1024 failed: port is already allocated", "port-taken"],
    [500, "listen tcp4 0.0.0.0:1025: bind: address already in use", "port-taken"],
    [400, "error setting rlimit type 7: operation not permitted", "limit-refused"],
    [500, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option", "quota-unsupported"],
    [500, "failed to update store for object type *libnetwork.endpoint: open : no such file", "unreachable"],
    [500, "transport is closing: unavailable", "unreachable"],
    [500, "grpc: the client connection is closing: context canceled", "unreachable"],
    [500, "failed to copy files: write /var/lib/docker/x: disk quota exceeded", "quota-too-small"],
    [500, "write /var/lib/docker/x: no space left on device", "disk-full"],
    [500, "OCI runtime create failed", "other"],
  ])("with %d %s is known as %s", (status, message, kind) => {
    expect(toEngineError(answered(status, message))).toMatchObject({ kind, message });
  });

  it.each([
    ["Bind for 0.0.0.0:1024 failed: port is already allocated", 1024],
    ["Error starting userland proxy: listen tcp4 0.0.0.0:1025: bind: address already in use", 1025],
    ["listen tcp6 [::]:1026: bind: address already in use", 1026],
  ])("names the port in '%s'", (message, port) => {
    expect(toEngineError(answered(500, message)).port).toBe(port);
  });
});

it("names the directory that containerd has left of a start", () => {
  const directory = "/run/containerd/io.containerd.runtime.v2.task/moby/1f";
  const message = `failed to create task for container: failed to start shim: mkdir ${directory}: file exists: unknown`;
  expect(toEngineError(answered(500, message))).toMatchObject({ kind: "directory-left", directory });
});

describe("no answer of the Engine", () => {
  it.each(["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"])("is unreachable (%s)", (code) => {
    const error = Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code });
    expect(toEngineError(error)).toMatchObject({ kind: "unreachable" });
  });

  it("for want of rights says what to do", () => {
    const error = Object.assign(new Error("connect EACCES /var/run/docker.sock"), { code: "EACCES" });
    expect(toEngineError(error).message).toContain("add this user to the group 'docker'");
  });

  it("on a kept connection that the Engine closed is worth one more try", () => {
    expect(isConnectionLost(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))).toBe(true);
    expect(isConnectionLost(answered(500, "no"))).toBe(false);
  });
});
