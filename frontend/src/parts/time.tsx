import { useSyncExternalStore } from "react";

const STEP_MS = 5_000;
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** How long ago, or how long until; exactly when on hover. */
export function Time({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={exactly.format(new Date(at))}>
      {relative(at, now)}
    </time>
  );
}

function relative(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  // The clocks of two machines are never quite the same.
  if (!unit) return seconds <= 30 ? "just now" : "within a minute";
  return words.format(Math.trunc(seconds / unit[1]), unit[0]);
}

let now = Date.now();
const followers = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

/** One clock for all. */
function useNow(): number {
  return useSyncExternalStore(follow, () => now);
}

function follow(changed: () => void): () => void {
  followers.add(changed);
  clock ??= setInterval(() => {
    now = Date.now();
    for (const tell of followers) tell();
  }, STEP_MS);
  return () => {
    followers.delete(changed);
    if (followers.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  };
}
