const TONES = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  rest: "text-faint",
} as const;

const STATES = {
  available: "good",
  running: "good",
  creating: "warn",
  restarting: "warn",
  draining: "warn",
  stopped: "rest",
  offline: "bad",
  unreachable: "bad",
  failed: "bad",
  gone: "bad",
} as const satisfies Record<string, keyof typeof TONES>;

export type ShownState = keyof typeof STATES;

/** A state in a word, with a mark of its colour. */
export function State({ of }: { of: ShownState }) {
  return (
    <span className={`inline-flex items-center gap-1.5 text-sm font-medium ${TONES[STATES[of]]}`}>
      <span aria-hidden className="size-2 rounded-full bg-current" />
      {of}
    </span>
  );
}
