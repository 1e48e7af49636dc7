import { useId, useMemo, useState } from "react";
import { Button } from "../parts/button.tsx";
import { copyText } from "../parts/clipboard.ts";
import type { LogLine } from "./log-lines.ts";
import { LogRow } from "./log-row.tsx";
import { isFound, searchFor } from "./log-search.ts";
import { saveText } from "./save-text.ts";
import { StreamBar } from "./stream-bar.tsx";
import type { StreamState } from "./stream-state.ts";
import { useFollowing } from "./use-following.ts";
import { useLog } from "./use-log.ts";

const PRESSED = "aria-pressed:border-accent aria-pressed:text-accent";
const WORDS = { over: "The log has ended.", again: "Reconnect reads it again." };

interface LogViewProps {
  path: string;
  label: string;
}

/** The log at `path` of this origin, followed. It fills the height that is there. */
export function LogView(props: LogViewProps) {
  return <Log key={props.path} {...props} />;
}

function Log({ path, label }: LogViewProps) {
  const { lines, state, reconnect } = useLog(path);
  const [words, setWords] = useState("");
  const [wraps, setWraps] = useState(true);
  const search = useMemo(() => searchFor(words), [words]);
  const shown = useMemo(
    () => (search ? lines.filter(({ pieces }) => isFound(pieces, search)) : lines),
    [lines, search],
  );
  const { box, isFollowing, follow, pause, onScroll } = useFollowing(shown, wraps);
  return (
    <section aria-label={label} className="relative h-full min-h-96 grow">
      <div className="absolute inset-0 flex flex-col overflow-hidden rounded-lg border border-line bg-surface">
        <StreamBar state={state} words={WORDS} onReconnect={reconnect} />
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2 text-sm">
          <Search words={words} onChange={setWords} told={search && `${shown.length} of ${lines.length} lines`} />
          <Switch name="Follow" isOn={isFollowing} onSwitch={isFollowing ? pause : follow} />
          <Switch name="Wrap lines" isOn={wraps} onSwitch={() => setWraps(!wraps)} />
          <Take lines={shown} label={label} />
        </div>
        <div
          ref={box}
          role="log"
          aria-label={label}
          aria-live={isFollowing ? "polite" : "off"}
          tabIndex={0}
          onScroll={onScroll}
          className="min-h-0 grow overflow-auto py-2 font-mono text-xs leading-5 focus-visible:-outline-offset-2"
        >
          <div className={wraps ? "wrap-anywhere whitespace-pre-wrap" : "w-max min-w-full whitespace-pre"}>
            {shown.map((line) => (
              <LogRow key={line.id} line={line} search={search} />
            ))}
          </div>
          <Nothing state={state} lines={lines} shown={shown} />
        </div>
      </div>
    </section>
  );
}

function Search({
  words,
  onChange,
  told,
}: {
  words: string;
  onChange: (words: string) => void;
  told: string | undefined;
}) {
  const id = useId();
  return (
    <div className="flex min-w-48 grow items-center gap-2">
      <label htmlFor={id} className="sr-only">
        Show only lines with
      </label>
      <input
        id={id}
        type="search"
        value={words}
        onChange={({ target }) => onChange(target.value)}
        placeholder="Show only lines with…"
        className="min-h-8 w-full max-w-72 min-w-0 rounded-md border border-edge bg-surface px-2.5 placeholder:text-faint"
      />
      <span role="status" className="text-muted tabular-nums">
        {told}
      </span>
    </div>
  );
}

function Switch({ name, isOn, onSwitch }: { name: string; isOn: boolean; onSwitch: () => void }) {
  return (
    <Button size="small" aria-pressed={isOn} onClick={onSwitch} className={PRESSED}>
      {name}
    </Button>
  );
}

/** What is shown, as it was written. */
function Take({ lines, label }: { lines: readonly LogLine[]; label: string }) {
  const [said, setSaid] = useState("");
  const text = (): string => lines.map((line) => `${line.text}\n`).join("");
  return (
    <>
      <Button size="small" disabled={lines.length === 0} onClick={() => void copyText(text()).then(setSaid)}>
        Copy
      </Button>
      <Button size="small" disabled={lines.length === 0} onClick={() => saveText(text(), `${label}.txt`)}>
        Download
      </Button>
      <span role="status" className="text-muted">
        {said}
      </span>
    </>
  );
}

function Nothing({
  state,
  lines,
  shown,
}: {
  state: StreamState;
  lines: readonly LogLine[];
  shown: readonly LogLine[];
}) {
  if (shown.length > 0) return null;
  const why = lines.length > 0 ? "No line has this." : WHY[state.kind];
  return <p className="px-3 font-sans text-sm text-muted">{why}</p>;
}

const WHY = {
  connecting: "Connecting…",
  connected: "Nothing has been written yet.",
  lost: "Nothing could be read yet.",
  ended: "Nothing was written.",
};
