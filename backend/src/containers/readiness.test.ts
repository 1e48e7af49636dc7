import { createHash } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import ssh2 from "ssh2";
import { afterEach, describe, expect, it } from "vitest";
import { waitForSsh } from "./readiness.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const HOST_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const GREETING = `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7 ${HOST_KEY}\r\n`;

const pause = () => 4;
const goesOn = () => Promise.resolve();

describe("waiting for SSH", () => {
  it("answers the host key's fingerprint as ssh-keygen prints it", async () => {
    const { private: hostKey, public: line } = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => client.on("error", () => undefined));
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await waitForSsh({ host: "127.0.0.1", port }, goesOn, 5_000, pause)).toEqual({
      hostKeyFingerprint: fingerprintOf(line),
      hostKey: undefined,
    });
  });

  it("asks for no key exchange where the greeting tells the host key", async () => {
    let heard = "";
    const server = await listening((socket) => {
      socket.on("data", (data) => (heard += data.toString()));
      socket.write(GREETING);
    });
    expect(await waitForSsh(at(server), goesOn, 5_000, pause)).toEqual({
      hostKeyFingerprint: fingerprintOf(HOST_KEY),
      hostKey: HOST_KEY,
    });
    expect(heard).toBe("");
  });

  it("goes on while a proxy takes connections that lead nowhere yet", async () => {
    let tries = 0;
    const server = await listening((socket) => {
      tries += 1;
      if (tries === 5) socket.write(GREETING);
      else socket.destroy();
    });
    expect(await waitForSsh(at(server), goesOn, 5_000, pause)).toMatchObject({ hostKey: HOST_KEY });
    expect(tries).toBe(5);
  });

  it("ends in SSH_NOT_READY where they never lead anywhere", async () => {
    const server = await listening((socket) => socket.destroy());
    await expect(waitForSsh(at(server), goesOn, 100, pause)).rejects.toMatchObject({ code: "SSH_NOT_READY" });
  });

  it("ends in SSH_NOT_READY where somebody listens and says nothing", async () => {
    const server = await listening(() => undefined);
    await expect(waitForSsh(at(server), goesOn, 50, pause)).rejects.toMatchObject({ code: "SSH_NOT_READY" });
  });

  it("ends at once where the container has died", async () => {
    const server = await listening((socket) => socket.destroy());
    const died = () => Promise.reject(new Error("died"));
    await expect(waitForSsh(at(server), died, 10_000, pause)).rejects.toThrow("died");
  });
});

async function listening(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const at = (server: Server) => ({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });

function fingerprintOf(line: string): string {
  const blob = Buffer.from(line.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
