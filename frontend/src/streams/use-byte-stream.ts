import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { ByteStream, type StreamListener } from "./byte-stream.ts";
import type { StreamState } from "./stream-state.ts";

/** Of the stream at `path` for as long as the view is there. */
export function useByteStream(
  path: string,
  listener: Pick<StreamListener, "onOpen" | "onBytes">,
): { state: StreamState; reconnect: () => void } {
  const [state, setState] = useState<StreamState>({ kind: "connecting" });
  const stream = useRef<ByteStream>(undefined);
  const onOpen = useEffectEvent(listener.onOpen);
  const onBytes = useEffectEvent(listener.onBytes);
  useEffect(() => {
    const current = new ByteStream(() => path, {
      onState: setState,
      onOpen: () => onOpen(),
      onBytes: (bytes, seen) => onBytes(bytes, seen),
    });
    stream.current = current;
    current.dial();
    return () => current.close();
  }, [path]);
  return { state, reconnect: useCallback(() => stream.current?.dial(), []) };
}
