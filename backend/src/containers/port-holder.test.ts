import { createServer, type AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { portHolder } from "./port-holder.ts";

const server = createServer();
afterEach(() => server.close());

it.each(["127.0.0.1", "::1"])("the holder of a port at %s is named with its process", async (host) => {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  expect(await portHolder(port)).toEqual({ process: expect.any(String) as string, pid: process.pid });
});

it("nobody is named where nobody listens", async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await portHolder(port)).toBeUndefined();
});
