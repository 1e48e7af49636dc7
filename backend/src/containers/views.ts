import type { Container, ContainerState, SshAccess } from "@dockhost/protocol";
import type { ContainerDetail, EngineState } from "../engine/engine.ts";
import { portsOf } from "./port-triples.ts";
import type { Claim } from "./slot-directories.ts";

/** Every instance's login. */
const LOGIN = "root";

/** A user's container as Docker records it. */
export interface Owned {
  containerId: string;
  username: string;
  slot: string;
  /** First port of its triple. */
  base: number;
  state: EngineState;
  image: string;
  createdAt: Date;
  /** Only of one that does not run. */
  exit?: Exit | undefined;
}

/** How a container ended. */
export type Exit = Pick<ContainerDetail, "exitCode" | "oomKilled">;

/** A container in the contract's words. */
export function containerView(owned: Owned, claim: Claim | undefined): Container {
  const { containerId, username, base, image, createdAt, exit } = owned;
  const ssh = accessOf(claim);
  return {
    containerId,
    username,
    state: stateOf(owned.state, claim, exit),
    ports: portsOf(base),
    image: claim?.image ?? image,
    createdAt: claim?.createdAt ?? createdAt.toISOString(),
    ...(ssh && { ssh }),
    ...(exit && { exitCode: exit.exitCode, oomKilled: exit.oomKilled }),
  };
}

function accessOf(claim: Claim | undefined): SshAccess | undefined {
  if (claim?.hostKeyFingerprint === undefined) return undefined;
  const { hostKeyFingerprint, hostKey } = claim;
  return { user: LOGIN, hostKeyFingerprint, ...(hostKey !== undefined && { hostKey }) };
}

export const isRunning = ({ state }: { state: EngineState }): boolean =>
  state === "running" || state === "restarting" || state === "paused";

/** Ended by a signal, as `docker stop` and `docker kill` do (interrupt, kill, terminate), or by itself in peace. */
const ORDERLY_EXITS: ReadonlySet<number> = new Set([0, 130, 137, 143]);

function stateOf(state: EngineState, claim: Claim | undefined, exit: Exit | undefined): ContainerState {
  switch (state) {
    case "running":
    case "paused":
      return "running";
    case "restarting":
      return "restarting";
    case "exited":
    case "removing": {
      const asWished = claim?.shouldRun === false;
      const orderly = exit === undefined || (ORDERLY_EXITS.has(exit.exitCode) && !exit.oomKilled);
      return asWished || orderly ? "stopped" : "failed";
    }
    case "created":
    case "dead":
      return "failed";
  }
}
