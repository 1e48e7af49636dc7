import { harmless } from "./harmless.ts";
import type { Piece, Tone } from "./log-piece.ts";

/** Pino's levels, by number. */
const LEVELS: Record<number, string> = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };
const TONES: Record<string, Tone> = {
  trace: "faint",
  debug: "faint",
  info: "good",
  warn: "warn",
  error: "bad",
  fatal: "bad",
};
const LEVEL_CHARS = 5;

interface Entry {
  time: string | number;
  level: string | number;
  msg: string;
  [field: string]: unknown;
}

/** One event of a JSON log as pino writes it: when, how grave, what, and the other fields. Undefined where it is none. */
export function entryPieces(line: string): readonly Piece[] | undefined {
  const entry = entryIn(line);
  if (!entry) return undefined;
  const { time, level, msg, ...fields } = entry;
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return undefined;
  const word = typeof level === "number" ? (LEVELS[level] ?? `${level}`) : level;
  const pieces: Piece[] = [
    { text: `${localTime(at)} `, tone: "faint" },
    { text: harmless(word.toUpperCase().padEnd(LEVEL_CHARS)), tone: TONES[word], isStrong: true },
    { text: ` ${harmless(msg)}` },
  ];
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${told(value)}`);
  return rest.length === 0 ? pieces : [...pieces, { text: harmless(rest.join("")), tone: "faint" }];
}

function entryIn(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  const { time, level, msg } = value as Partial<Entry>;
  return isWordOrNumber(time) && isWordOrNumber(level) && typeof msg === "string";
}

const isWordOrNumber = (value: unknown): boolean => typeof value === "string" || typeof value === "number";

/** Without quotes where it is one word. */
const told = (value: unknown): string =>
  typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);

/** `2026-11-24 15:39:15.123`, where the viewer is. */
function localTime(at: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
