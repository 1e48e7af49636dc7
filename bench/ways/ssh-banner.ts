import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** As often as the backend tries one that it waits for alone, when it is about to answer. */
const RETRY_MS = 4;
const PATIENCE_MS = 20_000;

/** Waits until an SSH server greets at `port` of this machine. */
export async function sshBanner(port: number): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await greets(port))) {
    if (performance.now() > end) throw new Error(`No SSH banner at port ${port} within ${PATIENCE_MS / 1000} s.`);
    await delay(RETRY_MS);
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const finish = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.on("error", () => finish(false));
    socket.once("close", () => finish(false));
    socket.once("data", () => finish(true));
  });
}
