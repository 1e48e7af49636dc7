import { pino, type DestinationStream, type Logger } from "pino";
import pretty from "pino-pretty";

export type Log = Logger;

export interface LogOptions {
  format: "pretty" | "json";
  level: string;
}

/** Where secrets would stand in what is logged; none is ever put there, and these hold should one be. */
const SECRETS = ["key", "apiKey", "token", "password", "hash", "cookie", "authorization", "DOCKHOST_API_KEY"];
const redact = { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: "[hidden]" };

/** Writes to standard output, or to `destination`. */
export function createLog({ format, level }: LogOptions, destination?: DestinationStream): Log {
  const options = {
    level,
    redact,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === "json") return destination ? pino(options, destination) : pino(options);
  const line = {
    colorize: process.stdout.isTTY,
    translateTime: "SYS:HH:MM:ss.l",
    sync: true,
    singleLine: true,
    ignore: "pid,hostname",
  };
  return pino(options, pretty(destination ? { ...line, destination } : line));
}
