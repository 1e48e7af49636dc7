import { useEffect, useId, useRef, useState } from "react";
import "@xterm/xterm/css/xterm.css";
import { Shell } from "./shell.ts";
import { StreamBar } from "./stream-bar.tsx";
import type { StreamState } from "./stream-state.ts";

const NOTE_MS = 4_000;
const WORDS = { over: "The shell has ended.", again: "Press Enter or Reconnect to open a new one." };

interface TerminalProps {
  instanceId: string;
  title: string;
  /** Whether its backend answers. */
  isReachable: boolean;
}

/** A login shell in the instance. It fills the height that is there. */
export function Terminal({ instanceId, title, isReachable }: TerminalProps) {
  const host = useRef<HTMLDivElement>(null);
  const shell = useRef<Shell>(undefined);
  const reconnect = useRef<HTMLButtonElement>(null);
  const hint = useId();
  const [state, setState] = useState<StreamState>({ kind: "connecting" });
  const [note, setNote] = useNote();
  useEffect(() => {
    if (!host.current) return undefined;
    const opened = new Shell(host.current, instanceId, hint, {
      onState: setState,
      onLeave: () => reconnect.current?.focus(),
      onNote: setNote,
    });
    shell.current = opened;
    return () => opened.close();
  }, [instanceId, hint, setNote]);
  useEffect(() => {
    if (isReachable) shell.current?.comeBack();
  }, [isReachable]);
  return (
    <section aria-label={title} className="relative h-full min-h-96 grow">
      <div className="absolute inset-0 flex flex-col overflow-hidden rounded-lg border border-line bg-surface">
        <StreamBar state={state} words={WORDS} reconnectRef={reconnect} onReconnect={() => shell.current?.reconnect()}>
          <span role="status" className="text-muted">
            {note}
          </span>
        </StreamBar>
        <div className="min-h-0 grow p-2 focus-within:outline-2 focus-within:-outline-offset-2 focus-within:outline-accent">
          <div ref={host} className="h-full overflow-hidden font-mono" />
        </div>
        <p id={hint} className="border-t border-line px-3 py-1.5 text-xs text-muted">
          Tab goes to the shell; Ctrl+Shift+X leaves the terminal. Ctrl+Shift+C copies, Ctrl+Shift+V pastes.
        </p>
      </div>
    </section>
  );
}

/** A sentence that goes by itself. */
function useNote(): [string, (note: string) => void] {
  const [note, setNote] = useState("");
  useEffect(() => {
    if (note === "") return undefined;
    const timer = setTimeout(() => setNote(""), NOTE_MS);
    return () => clearTimeout(timer);
  }, [note]);
  return [note, setNote];
}
