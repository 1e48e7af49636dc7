import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { parse } from "dotenv";
import type * as z from "zod";
import { CONFIG_HELP, type Setting, SETTINGS } from "./config-settings.ts";
import type { EngineAddress } from "./config-values.ts";

export { CONFIG_HELP };

/** What the backend is told from outside; deeply frozen. */
export interface Config {
  readonly apiKey: string;
  /** http or https, without a slash at its end. */
  readonly mainServerUrl: string;
  /** Absolute. */
  readonly dataDirectory: string;
  /** Undefined: our own image where the set-up built it, else the published one. */
  readonly image: string | undefined;
  /** Image reference by the name under which the main server may ask for it; without a prototype. */
  readonly images: Readonly<Record<string, string>>;
  readonly maxContainers: number;
  readonly limits: {
    readonly memoryBytes: number;
    readonly cpus: number;
    readonly pids: number;
    readonly diskBytes: number;
  };
  /** Both ends included. */
  readonly portRange: { readonly first: number; readonly last: number };
  readonly bindAddress: string;
  /** What instances may reach; the firewall enforces it. */
  readonly egress: Values["egress"];
  readonly runtime: string | undefined;
  readonly warmPool: number;
  readonly engine: EngineAddress;
  readonly log: { readonly format: "pretty" | "json"; readonly level: Values["logLevel"] };
}

/** The configuration is not usable; each fault is one sentence that says what is right. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.faults = faults;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the defaults depend on. */
export interface Surroundings {
  /** The working directory: its `.env` is read, and relative paths begin there. */
  cwd: string;
  /** Whether a person reads standard output. */
  isTerminal?: boolean;
  isRoot?: boolean;
}

type Values = { [Name in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Name]["schema"]> };

/** Reads `env`, and below it the `.env` file of the working directory; throws a ConfigError with all faults at once. */
export function readConfig(env: Environment, surroundings: Surroundings): Config {
  const given = { ...whatIsSet(readDotEnv(surroundings.cwd)), ...whatIsSet(env) };
  const defaults = defaultsHere(env, surroundings);
  const { memoryBytes, cpus, pids, diskBytes, logFormat, logLevel, images, ...values } = readValues(given, defaults);
  return deepFrozen({
    ...values,
    dataDirectory: resolve(surroundings.cwd, values.dataDirectory),
    images: images ?? NO_IMAGES,
    limits: { memoryBytes, cpus, pids, diskBytes },
    log: { format: logFormat, level: logLevel },
  });
}

const NO_IMAGES = Object.create(null) as Record<string, string>;

function readDotEnv(cwd: string): Environment {
  const file = join(cwd, ".env");
  const text = readIfThere(file);
  // In what Windows calls Unicode every second byte is zero, and no variable would be found.
  if (text.includes("\0")) throw new ConfigError([`${file} is not plain text as it must be: save it as UTF-8.`]);
  return parse(text);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    throw new ConfigError([`${file} cannot be read (${code ?? "unknown"}): make it a readable file or remove it.`]);
  }
}

/**
 * A variable that is set to nothing counts as not set. Within one source the newer name wins; between two, the source
 * does, whichever name it uses.
 */
function whatIsSet(source: Environment): Environment {
  const entries = Object.entries(source).map(([variable, text = ""]) => [variable, text.trim()] as const);
  const { MAIN_SERVER: older, ...rest } = Object.fromEntries(entries.filter(([, text]) => text !== ""));
  return older === undefined ? rest : { MAIN_SERVER_BACKEND_URL: older, ...rest };
}

/** Defaults that are not the same everywhere. */
function defaultsHere(env: Environment, { isTerminal = false, isRoot = isRootHere() }: Surroundings): Environment {
  return {
    LOG_FORMAT: isTerminal ? "pretty" : "json",
    ...(!isRoot && { DOCKHOST_DATA_DIR: join(userDataDirectory(env), "dockhost") }),
  };
}

const isRootHere = (): boolean => process.getuid?.() === 0;

/** https://specifications.freedesktop.org/basedir-spec: a relative XDG_DATA_HOME is to be ignored. */
function userDataDirectory({ XDG_DATA_HOME: chosen = "", HOME: home }: Environment): string {
  return isAbsolute(chosen) ? chosen : join(home ?? homedir(), ".local", "share");
}

function readValues(given: Environment, defaults: Environment): Values {
  const faults: string[] = [];
  const entries = Object.entries<Setting>(SETTINGS).map(([name, { variable, standard, must, schema }]) => {
    const text = given[variable] ?? defaults[variable] ?? standard;
    const { success, data } = schema.safeParse(text);
    if (!success) faults.push(`${variable} ${text === undefined ? "is not set: it must be" : "must be"} ${must}.`);
    return [name, data];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.fromEntries(entries) as Values;
}

function deepFrozen<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFrozen(part as object);
  return Object.freeze(value);
}
