import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../faults/ledger-faults.ts";
import type { Faults } from "../support/fault-proxy.ts";
import type { World } from "./world.ts";

/** Something that goes wrong, and is over when its promise is. */
export interface Mishap {
  /** In the ledger. */
  readonly fault: Fault;
  readonly words: (ms: number) => string;
  readonly happen: (world: World, ms: number) => Promise<void>;
}

/** Names that a lost reply answers: the changes, and what is looked up for them. */
const CHANGING = /^(POST|DELETE) /;
const LOOKING = /^GET .*\/json/;

export const MISHAPS: readonly Mishap[] = [
  {
    fault: "backend killed (SIGKILL) at any step of a command",
    words: () => "backend killed",
    happen: (world) => restartBackend(world, "SIGKILL"),
  },
  {
    fault: "backend ended (SIGTERM) in the middle of an operation",
    words: () => "backend ended by SIGTERM",
    happen: (world) => world.excuses.during("ending", () => restartBackend(world, "SIGTERM")),
  },
  {
    fault: "Docker daemon restarts",
    words: () => "Docker restarted",
    happen: (world) =>
      toEngine(world, async ({ machine }) => {
        await machine.stop();
        await machine.start();
      }),
  },
  {
    fault: "Docker daemon killed (SIGKILL), host loses power",
    words: () => "Docker killed",
    happen: (world) =>
      toEngine(world, async ({ machine }) => {
        world.excuses.noteCrash();
        await machine.kill();
        await machine.start();
      }),
  },
  {
    fault: "Docker daemon killed (SIGKILL), host loses power",
    words: () => "Docker and all containers without power",
    happen: (world) =>
      toEngine(world, async ({ machine }) => {
        world.excuses.noteCrash();
        await machine.losePower();
        await machine.start();
      }),
  },
  {
    fault: "Docker daemon hangs",
    words: (ms) => `Docker frozen for ${2 * ms} ms`,
    happen: (world, ms) =>
      toEngine(world, async ({ machine }) => {
        await machine.freeze();
        await delay(2 * ms);
        await machine.thaw();
      }),
  },
  {
    fault: "a reply of Docker is lost",
    words: () => "Docker's reply to a change lost",
    happen: (world) => loseReply(world, CHANGING),
  },
  {
    fault: "a reply of Docker is lost",
    words: () => "Docker's reply to a look lost",
    happen: (world) => loseReply(world, LOOKING),
  },
  {
    fault: "Docker's event stream breaks",
    words: () => "Docker's events cut",
    happen: async (world) => {
      world.toEngine.cut(/events/);
      await Promise.resolve();
    },
  },
  {
    fault: "main server gone, half-open, or slow",
    words: () => "link cut",
    happen: async ({ toServer }) => {
      toServer.cut();
      await Promise.resolve();
    },
  },
  {
    fault: "main server gone, half-open, or slow",
    words: (ms) => `link half-open for ${ms} ms`,
    happen: (world, ms) => onLink(world, { held: "both" }, ms),
  },
  {
    fault: "main server gone, half-open, or slow",
    words: (ms) => `replies held for ${ms} ms`,
    happen: (world, ms) => onLink(world, { held: "up" }, ms),
  },
  {
    fault: "main server gone, half-open, or slow",
    words: (ms) => `link slow and in pieces for ${ms} ms`,
    happen: (world, ms) => onLink(world, { latencyMs: 20, pieceBytes: 100 }, ms),
  },
  {
    fault: "main server gone, half-open, or slow",
    words: () => "main server restarted",
    happen: (world) => world.inTurn("server", () => world.restartServer()),
  },
];

const restartBackend = (world: World, signal: "SIGKILL" | "SIGTERM"): Promise<void> =>
  world.inTurn("backend", async () => {
    await world.endBackend(signal);
    world.startBackend();
  });

const toEngine = (world: World, work: (world: World) => Promise<void>): Promise<void> =>
  world.inTurn("engine", () => world.excuses.during("engine", () => work(world)));

/** The reply that is lost may be that to a later step. */
const loseReply = (world: World, requests: RegExp): Promise<void> =>
  world.excuses.during("engine", async () => {
    void world.toEngine.loseReply(requests);
    await Promise.resolve();
  });

const onLink = (world: World, faults: Faults, ms: number): Promise<void> =>
  world.inTurn("link", async () => {
    world.toServer.faults = faults;
    await delay(ms);
    world.toServer.faults = {};
  });
