import { pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { LogTail } from "./log-tail.ts";
import { maskSecrets, SECRET_PATHS } from "./secrets.ts";

type LogFields = Record<string, unknown>;
type Write = (fields: LogFields, message: string) => void;

/** What the rest of the backend sees of logging: one event, its fields, one sentence. */
export interface Log {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  /** The same log, with these fields in every line. */
  child(bindings: LogFields): Log;
}

/** The log of the whole process. */
export interface RootLog extends Log {
  /** What it has said lately, one JSON line an event, whatever format is written. */
  readonly tail: LogTail;
}

export interface LogOptions {
  format: "pretty" | "json";
  level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Written as *** wherever they turn up. */
  secrets?: readonly string[];
  /** Where lines go instead of standard output. */
  destination?: LineSink;
}

interface LineSink {
  write(line: string): unknown;
}

/**
 * One line per event, written before the call returns, so that the last words of a dying process are not lost.
 * Secrets are not meant to come this far; that they are removed here is the second net.
 */
export function createLog({ format, level, secrets = [], destination }: LogOptions): RootLog {
  const sink = destination ?? pino.destination({ dest: 1, sync: true });
  const withStack = level === "debug" || level === "trace";
  const output = format === "json" ? sink : prettyLines(sink, destination === undefined ? {} : { colorize: false });
  const tail = new LogTail();
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_PATHS, remove: true },
      formatters: { level: (label) => ({ level: label }), log: (fields) => withReadableErrors(fields, withStack) },
      hooks: { streamWrite: (line) => maskSecrets(line, secrets) },
    },
    {
      write: (line: string) => {
        output.write(line);
        tail.write(line);
      },
    },
  );
  return Object.assign(log, { tail });
}

/** Errors appear as what happened and its code; where it happened is for those who look for it. */
function withReadableErrors(fields: LogFields, withStack: boolean): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? readableError(value, withStack) : value,
  ]);
  return Object.fromEntries(entries) as LogFields;
}

function readableError(error: Error, withStack: boolean): LogFields {
  return {
    // Node's error of a refused connection to a name with several addresses has no message of its own.
    message: error.message || error.name,
    ...("code" in error && { code: error.code }),
    ...(withStack && { stack: error.stack }),
  };
}

/** pino-pretty in process, without its stream: a stream would put the line off to a later tick. */
function prettyLines(sink: LineSink, color: { colorize?: boolean }): LineSink {
  const prettify = prettyFactory({
    ...color,
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
    errorLikeObjectKeys: [],
    messageFormat: (line, messageKey) => onOneLine(String(line[messageKey])),
  });
  return { write: (line) => sink.write(prettify(line)) };
}

/** What a container or an Engine said may hold line breaks and terminal escapes; neither reaches the terminal. */
const onOneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
