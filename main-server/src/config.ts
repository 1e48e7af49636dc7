import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { parse } from "dotenv";
import * as z from "zod";
import { isLoopback, parseListenAddress, type ListenAddress } from "./listen-address.ts";

export interface Config {
  readonly dataDir: string;
  readonly listen: readonly ListenAddress[];
  readonly signup: "open" | "closed";
  readonly publicUrl: string | undefined;
  /** Addresses whose X-Forwarded-* headers are believed. */
  readonly trustProxy: readonly string[];
  readonly localBackendKeyFile: string | undefined;
  readonly log: { readonly format: "pretty" | "json"; readonly level: string };
}

/** Every fault of the configuration, one sentence each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the environment, and beneath it the `.env` of the working directory. Throws ConfigError. */
export function loadConfig(environment: Variables = process.env, directory = process.cwd()): Config {
  const variables = { ...dotEnv(directory), ...withoutEmpty(environment) };
  const result = Environment.safeParse(variables);
  if (!result.success) throw new ConfigError(result.error.issues.map(sentence));
  return deepFrozen(toConfig(result.data));
}

function dotEnv(directory: string): Variables {
  const text = readIfThere(join(directory, ".env"));
  // In what Windows calls Unicode every second byte is zero, and no variable would be found.
  if (text.includes("\0")) {
    throw new ConfigError(["The file .env in the working directory must be plain text: save it as UTF-8."]);
  }
  return withoutEmpty(parse(text));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw new ConfigError(["The file .env in the working directory cannot be read."]);
  }
}

/** `NAME=` stands for nothing said. A value may end in the newline of the file that it came from. */
function withoutEmpty(variables: Variables): Variables {
  const trimmed = Object.entries(variables).map(([name, value = ""]) => [name, value.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ""));
}

const sentence = (issue: z.core.$ZodIssue) => `${String(issue.path[0])} ${issue.message}.`;

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(", ")}`);

const ListenAddresses = z.string().transform((text, context): ListenAddress[] => {
  const addresses = text.split(",").map(parseListenAddress);
  if (addresses.every((address) => address !== undefined)) return addresses;
  context.addIssue({ code: "custom", message: "must be a comma-separated list of host:port, like 127.0.0.1:3001" });
  return z.NEVER;
});

/** Stricter than URL, which mends what it reads. */
const PublicUrl = z
  .string()
  .refine(
    (text) => /^https?:\/\/[^\s\p{Cc}/?#@\\]+(\/[^\s\p{Cc}?#\\]*)?$/iu.test(text) && URL.canParse(text),
    "must be an http:// or https:// address, without user, password or query",
  );

const Path = z.string().regex(/^[^~\0][^\0]*$/, "must be a path, without ~, which only a shell expands");

/** `true` stands for a proxy on this machine. */
const TrustedProxies = z.string().transform((text, context): string[] => {
  if (/^(?:1|true|yes)$/i.test(text)) return ["loopback"];
  if (/^(?:0|false|no)$/i.test(text)) return [];
  const proxies = text.split(",").map((proxy) => proxy.trim());
  if (proxies.every((proxy) => ProxyAddress.safeParse(proxy).success)) return proxies;
  context.addIssue({
    code: "custom",
    message: "must be true, or a comma-separated list of IP addresses or CIDR ranges",
  });
  return z.NEVER;
});
/** To believe everyone, `/0`, is to let everyone say where they come from: the HTTP server takes no such range. */
const Range = z.union([z.cidrv4(), z.cidrv6()]).refine((range) => !range.endsWith("/0"));
const ProxyAddress = z.union([z.literal("loopback"), z.ipv4(), z.ipv6(), Range]);

const Environment = z.object({
  DOCKHOST_DATA_DIR: Path.optional(),
  DOCKHOST_LISTEN: ListenAddresses.optional(),
  DOCKHOST_SIGNUP: oneOf(["open", "closed"]).optional(),
  DOCKHOST_PUBLIC_URL: PublicUrl.optional(),
  DOCKHOST_TRUST_PROXY: TrustedProxies.default([]),
  DOCKHOST_LOCAL_BACKEND_KEY_FILE: Path.optional(),
  LOG_FORMAT: oneOf(["pretty", "json"]).optional(),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  XDG_DATA_HOME: z.string().optional(),
});

export const VARIABLES: readonly string[] = Object.keys(Environment.shape).filter((name) => name !== "XDG_DATA_HOME");

const DEFAULT_LISTEN: ListenAddress[] = [
  { host: "127.0.0.1", port: 3001, required: true },
  { host: "127.0.0.1", port: 3000, required: false },
];

function toConfig(given: z.infer<typeof Environment>): Config {
  const listen = given.DOCKHOST_LISTEN ?? DEFAULT_LISTEN;
  const keyFile = given.DOCKHOST_LOCAL_BACKEND_KEY_FILE;
  const reach = { listen, publicUrl: given.DOCKHOST_PUBLIC_URL, trustProxy: given.DOCKHOST_TRUST_PROXY };
  return {
    ...reach,
    dataDir: resolve(given.DOCKHOST_DATA_DIR ?? defaultDataDir(given.XDG_DATA_HOME)),
    signup: given.DOCKHOST_SIGNUP ?? (isPrivate(reach) ? "open" : "closed"),
    localBackendKeyFile: keyFile && resolve(keyFile),
    log: { format: given.LOG_FORMAT ?? (process.stdout.isTTY ? "pretty" : "json"), level: given.LOG_LEVEL },
  };
}

/** https://specifications.freedesktop.org/basedir-spec: a relative XDG_DATA_HOME is to be ignored. */
function defaultDataDir(xdgDataHome = ""): string {
  if (process.getuid?.() === 0) return "/var/lib/dockhost";
  return join(isAbsolute(xdgDataHome) ? xdgDataHome : join(homedir(), ".local", "share"), "dockhost");
}

/** Whether only this machine reaches us; a proxy in front, or a public address, says that others do. */
function isPrivate({ listen, publicUrl, trustProxy }: Pick<Config, "listen" | "publicUrl" | "trustProxy">): boolean {
  const isPublic = publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ""));
  return !isPublic && trustProxy.length === 0 && listen.every(({ host }) => isLoopback(host));
}

function deepFrozen<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFrozen(part as object);
  return Object.freeze(value);
}
