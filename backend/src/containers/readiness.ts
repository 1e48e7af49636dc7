import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { steps } from "../observe/steps.ts";
import { DockHostError } from "./errors.ts";
import { hostKeyInGreeting, hostKeyOf, type ShownHostKey } from "./host-key.ts";

const step = steps("ssh");

/** Between two looks at whether the container still runs, ms. */
const LOOK_MS = 500;
/** A server that accepts and then says nothing is tried again after this, ms. */
const SILENCE_MS = 5_000;

export interface SshTarget {
  host: string;
  port: number;
}

/**
 * Waits until an SSH server answers at `target` and answers its host key, read from its greeting, or else from the key
 * exchange. `stillRuns` is asked now and then and throws where waiting has become pointless. Between two tries it waits
 * `pauseMs`. Throws SSH_NOT_READY after `timeoutMs`.
 */
export async function waitForSsh(
  target: SshTarget,
  stillRuns: () => Promise<void>,
  timeoutMs: number,
  pauseMs: () => number,
): Promise<ShownHostKey> {
  return step.time(`SSH at port ${target.port}`, async () => {
    const end = performance.now() + timeoutMs;
    let nextLook = performance.now() + LOOK_MS;
    while (performance.now() < end) {
      const shown = await readHostKey(target, Math.min(SILENCE_MS, end - performance.now()));
      if (shown) return shown;
      if (performance.now() >= nextLook) {
        await stillRuns();
        nextLook = performance.now() + LOOK_MS;
      }
      await delay(pauseMs());
    }
    throw new DockHostError(
      "SSH_NOT_READY",
      `The container runs, but no SSH server answered at its port within ${Math.round(timeoutMs / 1000)} s; check its image.`,
    );
  });
}

/** One try; undefined where nobody answers. */
function readHostKey(target: SshTarget, patienceMs: number): Promise<ShownHostKey | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, noDelay: true });
    const finish = (shown: ShownHostKey | undefined): void => {
      clearTimeout(patience);
      socket.destroy();
      resolve(shown);
    };
    const patience = setTimeout(finish, patienceMs, undefined);
    socket.on("error", () => finish(undefined));
    socket.once("close", () => finish(undefined));
    // The Engine's proxy accepts before sshd listens: only a greeting is worth a key exchange.
    socket.once("data", (greeting) => {
      const told = hostKeyInGreeting(greeting.toString("latin1"));
      if (told) finish(told);
      else void exchangeKeys(socket, greeting, finish);
    });
  });
}

/** Goes as far as the server's host key, and no further: no user is named, nothing is trusted. */
async function exchangeKeys(
  socket: Socket,
  greeting: Buffer,
  finish: (shown: ShownHostKey | undefined) => void,
): Promise<void> {
  socket.pause();
  socket.unshift(greeting);
  // Only now: it would be a sixth of the backend's start, for what most backends never need.
  const { default: ssh2 } = await import("ssh2");
  const { Client } = ssh2;
  const client = new Client();
  client.on("error", () => finish(undefined));
  client.connect({
    sock: socket,
    username: "",
    hostVerifier: (key: Buffer) => {
      finish(hostKeyOf(key));
      return false;
    },
  });
}
