import * as z from "zod";
import { isBindAddress, readEngineAddress, readImage, readImages, readMainServerUrl } from "./config-values.ts";
import { readPortRange, readSize } from "./config-values.ts";

/** One variable of the environment: what it means, and how its text becomes a value. */
export interface Setting {
  variable: string;
  /** What holds where the variable is not set, as one would write it. */
  standard?: string;
  meaning: string;
  /** Completes "<variable> must be …" to what its owner is told where the schema refuses the text. */
  must: string;
  schema: z.ZodType<unknown, string | undefined>;
}

const MIN_SIZE_BYTES = 64 * 1024 ** 2;
const MAX_CONTAINERS = 10_000;

/** Every setting of the backend, in the order in which its help tells them. */
export const SETTINGS = {
  apiKey: {
    variable: "DOCKHOST_API_KEY",
    meaning: "the key by which the main server knows this backend (required)",
    must: "the key that the main server showed when this backend was added, without spaces",
    schema: z.string().regex(/^[!-~]{1,512}$/),
  },
  mainServerUrl: {
    variable: "MAIN_SERVER_BACKEND_URL",
    meaning: "the main server's address; MAIN_SERVER is its older name (required)",
    must: "the main server's address, such as localhost:3001 or https://dockhost.example, without user, password or query",
    schema: parsed(readMainServerUrl),
  },
  dataDirectory: {
    variable: "DOCKHOST_DATA_DIR",
    standard: "/var/lib/dockhost",
    meaning: "keys and claims of the containers; not root: ~/.local/share/dockhost",
    must: "the path of a directory, without ~, which only a shell expands",
    schema: z.string().regex(/^[^~\0][^\0]*$/),
  },
  image: {
    variable: "DOCKHOST_IMAGE",
    meaning: "the image of new instances; not set: dockhost/instance where present, else sohampirale/instance",
    must: "an image reference, such as dockhost/instance:latest",
    schema: parsed(readImage).optional(),
  },
  images: {
    variable: "DOCKHOST_IMAGES",
    meaning: "further images that the main server may name: name=reference,…",
    must: "a list like small=alpine:3.20,large=ubuntu:24.04, each name once, in lower case",
    schema: parsed(readImages).optional(),
  },
  maxContainers: {
    variable: "DOCKHOST_MAX_CONTAINERS",
    standard: "50",
    meaning: "how many instances there may be, running or stopped",
    must: `a whole number from 1 to ${MAX_CONTAINERS}`,
    schema: wholeNumber(1, MAX_CONTAINERS),
  },
  memoryBytes: {
    variable: "DOCKHOST_MEMORY",
    standard: "512m",
    meaning: "memory of an instance",
    must: "a size of at least 64m, such as 512m or 2g",
    schema: size(),
  },
  cpus: {
    variable: "DOCKHOST_CPUS",
    standard: "1",
    meaning: "processor cores of an instance, fractions too",
    must: "a number from 0.01 to 1024, such as 1 or 0.25",
    schema: z
      .string()
      .regex(/^\d{1,4}(\.\d{1,9})?$/)
      .transform(Number)
      .pipe(z.number().min(0.01).max(1024)),
  },
  pids: {
    variable: "DOCKHOST_PIDS",
    standard: "512",
    meaning: "processes and threads of an instance",
    must: "a whole number from 32 to 4194304",
    schema: wholeNumber(32, 4_194_304),
  },
  diskBytes: {
    variable: "DOCKHOST_DISK",
    standard: "1g",
    meaning: "disk of an instance, where the Engine can enforce it",
    must: "a size of at least 64m, such as 1g",
    schema: size(),
  },
  portRange: {
    variable: "DOCKHOST_PORT_RANGE",
    standard: "1024-32767",
    meaning: "the host's ports for instances, three each",
    must: "first-last with at least three ports between 1 and 65535, such as 1024-32767",
    schema: parsed(readPortRange),
  },
  bindAddress: {
    variable: "DOCKHOST_BIND_ADDRESS",
    standard: "0.0.0.0",
    meaning: "the host's address on which those ports answer",
    must: "an IPv4 or IPv6 address, such as 0.0.0.0",
    schema: z.string().refine(isBindAddress),
  },
  egress: {
    variable: "DOCKHOST_EGRESS",
    standard: "internet",
    meaning: "what instances may reach: internet, all or none; 'npm run firewall' enforces it",
    must: "one of internet, all and none",
    schema: z.enum(["internet", "all", "none"]),
  },
  runtime: {
    variable: "DOCKHOST_RUNTIME",
    meaning: "the Engine's runtime for instances, such as runsc; not set: the Engine's default",
    must: "the name of a runtime that the Engine has, such as runc or runsc",
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,128}$/)
      .optional(),
  },
  warmPool: {
    variable: "DOCKHOST_WARM_POOL",
    standard: "1",
    meaning: "how many instances to make ahead, so that a create takes no time; 0: none",
    must: `a whole number from 0 to ${MAX_CONTAINERS}`,
    schema: wholeNumber(0, MAX_CONTAINERS),
  },
  engine: {
    variable: "DOCKER_HOST",
    standard: "unix:///var/run/docker.sock",
    meaning: "where the Docker Engine listens",
    must: "the Engine's address, such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375",
    schema: parsed(readEngineAddress),
  },
  logFormat: {
    variable: "LOG_FORMAT",
    standard: "pretty",
    meaning: "pretty or json; not set and not on a terminal: json",
    must: "pretty or json",
    schema: z.enum(["pretty", "json"]),
  },
  logLevel: {
    variable: "LOG_LEVEL",
    standard: "info",
    meaning: "trace, debug, info, warn, error, fatal or silent",
    must: "one of trace, debug, info, warn, error, fatal and silent",
    schema: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  },
} satisfies Record<string, Setting>;

/** The table that `--help` prints. */
export const CONFIG_HELP = Object.values<Setting>(SETTINGS)
  .map(({ variable, standard = "–", meaning }) => `  ${variable.padEnd(24)} ${standard.padEnd(28)} ${meaning}`)
  .join("\n");

function parsed<Value>(read: (text: string) => Value | undefined) {
  return z.string().transform((text, context): Value => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom" });
    return z.NEVER;
  });
}

function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

function size() {
  return parsed(readSize).pipe(z.int().min(MIN_SIZE_BYTES));
}
