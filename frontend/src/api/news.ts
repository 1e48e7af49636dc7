import { useEffect, useSyncExternalStore } from "react";
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import type { NewsItem } from "@dockhost/protocol/rest";

export type Progress = Omit<Extract<NewsItem, { kind: "progress" }>, "kind">;

/** Whether the page hears what changes. `since` is when that was lost. */
export type Line = { state: "connecting" | "open" } | { state: "lost"; since: number };

/** A short break, as of a server that is started anew, is not worth a word, ms. */
const WORTH_A_WORD_MS = 1_500;
const RETRY_MS = 3_000;

class Told<Value> {
  #value: Value;
  readonly #followers = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  readonly get = (): Value => this.#value;

  readonly follow = (changed: () => void): (() => void) => {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  };

  set(value: Value): void {
    this.#value = value;
    for (const changed of this.#followers) changed();
  }
}

const line = new Told<Line>({ state: "connecting" });
const progress = new Told<ReadonlyMap<string, Progress>>(new Map());

export const useLine = (): Line => useSyncExternalStore(line.follow, line.get);

/** How far what is being done on this backend is, as last told. */
export const useProgress = (backendId: string | undefined): Progress | undefined => {
  const all = useSyncExternalStore(progress.follow, progress.get);
  // Where the backend is the main server's to choose, whatever is told is of the one create that is under way.
  return backendId === undefined ? [...all.values()].at(-1) : all.get(backendId);
};

export function forgetProgress(): void {
  progress.set(new Map());
}

/** Keeps what the page shows as it is, by the main server's own word, while it is mounted. */
export function useNews(): void {
  const client = useQueryClient();
  useEffect(() => listen(client), [client]);
}

/** Answers how to stop. */
function listen(client: QueryClient): () => void {
  let source: EventSource;
  let word: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource("/api/events");
    source.onopen = () => {
      const missed = word !== undefined;
      clearTimeout(word);
      word = undefined;
      line.set({ state: "open" });
      // What happened meanwhile was told to nobody.
      if (missed) void client.invalidateQueries();
    };
    source.onerror = () => {
      const since = Date.now();
      word ??= setTimeout(() => line.set({ state: "lost", since }), WORTH_A_WORD_MS);
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused, the browser does not try again by itself; it may be that nobody is signed in any more.
      void client.invalidateQueries({ queryKey: ["me"] });
      retry = setTimeout(open, RETRY_MS);
    };
    source.onmessage = ({ data }: MessageEvent<string>) => hear(client, JSON.parse(data) as NewsItem);
  };
  open();
  return () => {
    clearTimeout(word);
    clearTimeout(retry);
    source.close();
    line.set({ state: "connecting" });
    forgetProgress();
  };
}

function hear(client: QueryClient, item: NewsItem): void {
  switch (item.kind) {
    case "instances-changed":
      void client.invalidateQueries({ queryKey: ["instances"] });
      void client.invalidateQueries({ queryKey: ["backend-containers"] });
      break;
    case "backends-changed":
      void client.invalidateQueries({ queryKey: ["backends"] });
      // What is on it is out of reach with it.
      void client.invalidateQueries({ queryKey: ["instances"] });
      break;
    case "progress":
      // Last told last, as a map keeps its order.
      progress.set(new Map([...progress.get()].filter(([id]) => id !== item.backendId)).set(item.backendId, item));
  }
}
