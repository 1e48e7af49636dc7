/** What the main server is sent while it is measured. */
export const COMMANDS_PER_SECOND = 500;

const roundTrip = `Command round trip at ${COMMANDS_PER_SECOND} commands/s`;

/** What the tables are called: sections write them, bounds and plot read them by these names. */
export const TITLES = {
  create: (atOnce: number) => `Create until SSH answers, ${atOnce} at a time`,
  allCreated: (atOnce: number) => `… until all ${atOnce} are done`,
  claim: "Create from a warm pool until SSH answers, one at a time",
  burst: (users: number) => `${users} users at once on a warm pool of ${users}, until SSH answers`,
  burstDone: (users: number) => `… until all ${users} users are served`,
  list: (containers: number) => `List of ${containers} containers`,
  start: "Start of the backend until it is connected",
  idleMemory: "Resident memory of the idle backend",
  claimAmong: "Create from a warm pool, by containers present",
  rawAmong: "The same by the raw Engine API, by containers present",
  listAmong: "List of all containers, by containers present",
  memoryAmong: "Resident memory of the backend, by containers present",
  heartbeat: "How late the backend's heartbeat came at most, beyond its ten seconds",
  heap: "Heap of the backend after a garbage collection, by commands served",
  command: roundTrip,
  commandP99: `${roundTrip}, p99 of each round`,
  restListP99: (instances: number) =>
    `REST list of ${instances} instances at ${COMMANDS_PER_SECOND} commands/s, p99 of each round`,
  resync: "Restart of the main server until all records are right",
  memoryOfBackend: "Resident memory for each connected backend",
} as const;

export const OURS = "DockHost";
export const RAW = "raw Engine API";
export const BACKEND = "DockHost's backend";
/** How many containers stand where much is there. */
export const CROWD = 200;
/** How many users come at once to a pool of as many slots. */
export const BURST = 20;

/** How many commands one backend serves, to see what they leave behind. */
export const COMMANDS = 10_000;
/** How many backends one main server has at most in the bench. */
export const FLEET = 2_000;

export const among = (containers: number): string => (containers === 0 ? "with none" : `with ${containers}`);
export const afterCommands = (commands: number): string => `after ${commands} commands`;
export const connected = (backends: number): string =>
  `${backends.toLocaleString("en")} backend${backends === 1 ? "" : "s"}`;
export const whileMaking = `while ${CROWD} containers are made`;
export const afterwards = `with ${CROWD} containers`;
