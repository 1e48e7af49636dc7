import { startTransition, useEffect, useRef, useState } from "react";
import { LogLines, type LogLine } from "./log-lines.ts";
import type { StreamState } from "./stream-state.ts";
import { useByteStream } from "./use-byte-stream.ts";

/** What comes within this is shown at once, ms. */
const GATHERED_MS = 50;
const NOTHING: readonly LogLine[] = [];

/** The log at `path`, followed from its last lines. */
export function useLog(path: string): { lines: readonly LogLine[]; state: StreamState; reconnect: () => void } {
  const [lines, setLines] = useState(NOTHING);
  const log = useRef<LogLines>(undefined);
  const unshown = useRef<(() => void)[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const show = (): void => {
    timer.current = undefined;
    const { current } = log;
    // Thousands of lines may be new; what is clicked or typed meanwhile comes first.
    if (current) startTransition(() => setLines(current.lines));
  };
  const { state, reconnect } = useByteStream(`${path}?tail=500&follow=true`, {
    onOpen() {
      log.current = new LogLines();
      unshown.current = [];
      setLines(NOTHING);
    },
    onBytes(bytes, seen) {
      log.current?.add(bytes);
      unshown.current.push(seen);
      timer.current ??= setTimeout(show, GATHERED_MS);
    },
  });
  useEffect(() => {
    // They stand on the page: the sender may go on.
    for (const seen of unshown.current.splice(0)) seen();
  }, [lines]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return { lines, state, reconnect };
}
