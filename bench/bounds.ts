import { INSTANCES_OF_A_USER } from "./fleet/population.ts";
import {
  afterCommands,
  afterwards,
  among,
  BACKEND,
  BURST,
  COMMANDS,
  connected,
  CROWD,
  FLEET,
  RAW,
  TITLES,
  whileMaking,
} from "./titles.ts";

/** What one figure of the bench may be. */
export interface Bound {
  says: string;
  /** The section of the bench that measures it. */
  section: string;
  /** Where the figure stands. */
  table: string;
  row: string;
  /** The row's ratio, the other way round where more is better, or its median. */
  take: "ratio" | "inverse" | "median";
  /** Neither: it is only held against what was recorded. */
  atMost?: number;
  atLeast?: number;
  /** How far the noise of a machine may carry it beyond before it counts as broken. */
  margin: number;
}

/** A ratio is worse than the recorded one when it is so by more than both. */
export const REGRESSION = { share: 0.15, least: 0.03 } as const;

const AT_ONCE = [1, 2, 4, 8];
/** Of a median of some two dozen rounds on a machine of two cores. */
const CREATE_NOISE = 0.04;

// prettier-ignore
export const BOUNDS: readonly Bound[] = [
  ...AT_ONCE.map((n): Bound => (
    { says: `cold create, ${n} at a time ÷ raw`,  section: "create",  table: TITLES.create(n),       row: RAW,         take: "ratio",   atMost: 1.03,   margin: CREATE_NOISE }
  )),
  ...AT_ONCE.filter((n) => n > 1).map((n): Bound => (
    { says: `until all are done, raw ÷ ours, ${n}`, section: "create", table: TITLES.allCreated(n),  row: RAW,         take: "inverse", atLeast: 0.97,  margin: CREATE_NOISE }
  )),
  { says: "warm create ÷ raw",                    section: "warm",    table: TITLES.claim,           row: RAW,         take: "ratio",   atMost: 0.1,    margin: 0.01 },
  { says: `${BURST} at once ÷ raw, each`,         section: "warm",    table: TITLES.burst(BURST),    row: RAW,         take: "ratio",   atMost: 0.3,    margin: 0.03 },
  { says: `${BURST} at once ÷ raw, all served`,   section: "warm",    table: TITLES.burstDone(BURST), row: RAW,        take: "ratio",   atMost: 0.3,    margin: 0.03 },
  { says: `claim with ${CROWD} ÷ with none`,      section: "crowd",   table: TITLES.claimAmong,      row: among(CROWD), take: "ratio",  atMost: 1.3,    margin: 0.1 },
  { says: "list of 50 ÷ raw",                     section: "list",    table: TITLES.list(50),        row: RAW,         take: "ratio",                   margin: 0 },
  { says: "start until connected, ms",            section: "startup", table: TITLES.start,           row: BACKEND,     take: "median",  atMost: 200,    margin: 20 },
  { says: "memory idle, MiB",                     section: "startup", table: TITLES.idleMemory,      row: BACKEND,     take: "median",  atMost: 60,     margin: 1 },
  { says: `memory with ${CROWD}, MiB`,            section: "crowd",   table: TITLES.memoryAmong,     row: among(CROWD), take: "median", atMost: 75,     margin: 1 },
  { says: `heartbeat late ${whileMaking}, ms`,    section: "crowd",   table: TITLES.heartbeat,       row: whileMaking, take: "median",  atMost: 1_000,  margin: 0 },
  { says: `heartbeat late ${afterwards}, ms`,     section: "crowd",   table: TITLES.heartbeat,       row: afterwards,  take: "median",  atMost: 1_000,  margin: 0 },
  { says: `heap after ${COMMANDS} ÷ after the first 500`, section: "growth", table: TITLES.heap,     row: afterCommands(COMMANDS), take: "ratio", atMost: 1.25, margin: 0.1 },
  { says: `command p99, ${FLEET} backends, ms`,   section: "main-server", table: TITLES.commandP99,  row: connected(FLEET), take: "median", atMost: 20,    margin: 5 },
  { says: `REST list p99, ${FLEET} backends, ms`, section: "main-server", table: TITLES.restListP99(INSTANCES_OF_A_USER), row: connected(FLEET), take: "median", atMost: 15,    margin: 5 },
  { says: `resync of ${FLEET} backends, ms`,      section: "main-server", table: TITLES.resync,      row: connected(FLEET), take: "median", atMost: 60_000, margin: 0 },
  { says: `memory of each of ${FLEET}, KiB`,      section: "main-server", table: TITLES.memoryOfBackend, row: connected(FLEET), take: "median", atMost: 40, margin: 1 },
];
