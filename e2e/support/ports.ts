import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { canBind } from "../../backend/src/containers/port-triples.ts";

/** Test files run side by side, and what one of them is about to take must not be given to another. */
const WORKER = Number(process.env.VITEST_POOL_ID ?? 1) - 1;
const PORTS_OF_WORKER = 5_500;

/** The first and last ports of those given last in this test file: its tests run side by side too, and may not have taken theirs yet. */
const given: [number, number][] = [];
const GIVEN_MAX = 10;

/** A range of `size` free ports, well away from 1024 and from the ports that the kernel hands out. */
export async function freePortRange(size: number): Promise<string> {
  for (;;) {
    const first = 10_000 + WORKER * PORTS_OF_WORKER + Math.floor(Math.random() * (PORTS_OF_WORKER - size));
    const last = first + size - 1;
    if (given.some(([from, to]) => from <= last && first <= to)) continue;
    given.push([first, last]);
    if (given.length > GIVEN_MAX) given.shift();
    const ports = Array.from({ length: size }, (_, index) => first + index);
    const free = await Promise.all(ports.map(canBind));
    if (free.every(Boolean)) return `${first}-${last}`;
  }
}

export const freePort = async (): Promise<number> => firstOf(await freePortRange(1));

export const firstOf = (range: string): number => Number(range.split("-")[0]);

/** Holds `port` as any process of the machine might. */
export async function hold(port: number): Promise<AsyncDisposable & { port: number }> {
  const server: Server = createServer((socket) => socket.destroy());
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
