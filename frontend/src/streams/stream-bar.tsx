import { useEffect, useState, type ReactNode, type Ref } from "react";
import { Button } from "../parts/button.tsx";
import type { StreamState } from "./stream-state.ts";

interface StreamBarProps {
  state: StreamState;
  /** Sentences for when it is over, and for how it is begun again. */
  words: { over: string; again: string };
  onReconnect: () => void;
  reconnectRef?: Ref<HTMLButtonElement>;
  /** What else can be done, before Reconnect. */
  children?: ReactNode;
}

/** Says how a view's stream stands, and has the button that opens it anew. */
export function StreamBar({ state, words, onReconnect, reconnectRef, children }: StreamBarProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-raised px-3 py-2 text-sm">
      <span aria-hidden className={`size-2 shrink-0 rounded-full ${light(state)}`} />
      <p role="status" className="min-w-0 grow text-ink">
        <Sentence state={state} words={words} />
      </p>
      {children}
      <Button size="small" ref={reconnectRef} onClick={onReconnect}>
        Reconnect
      </Button>
    </div>
  );
}

const LIGHTS = { connecting: "bg-faint", connected: "bg-good", lost: "bg-warn", ended: "bg-faint" };

const light = (state: StreamState): string => (state.kind === "ended" && state.failed ? "bg-bad" : LIGHTS[state.kind]);

function Sentence({ state, words }: Pick<StreamBarProps, "state" | "words">) {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "connected":
      return "Connected.";
    case "lost":
      return (
        <>
          {state.reason} Reconnecting
          <Countdown ms={state.waitMs} />
        </>
      );
    case "ended":
      return `${state.reason || words.over} ${words.again}`;
  }
}

/** Only to be seen: read aloud it would be one interruption a second. */
function Countdown({ ms }: { ms: number }) {
  const [left, setLeft] = useState(Math.ceil(ms / 1000));
  useEffect(() => {
    const timer = setInterval(() => setLeft((before) => Math.max(1, before - 1)), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span aria-hidden> in {left} s</span>;
}
