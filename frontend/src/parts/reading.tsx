import type { ReactNode } from "react";
import type { UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import { Button } from "./button.tsx";
import { Note } from "./note.tsx";

/** What is shown while something is read, where that fails, and then; what was read before stays in sight meanwhile. */
export function Reading<Data>({
  query,
  children,
  lines = 3,
}: {
  query: UseQueryResult<Data>;
  children: (data: Data) => ReactNode;
  /** About how high what comes will be. */
  lines?: number;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Unread error={query.error} retry={() => void query.refetch()} />;
  return <Skeleton lines={lines} />;
}

/** Likewise of a list that is read page by page. */
export function ReadingList<Item>({
  query,
  children,
  empty,
}: {
  query: UseInfiniteQueryResult<Item[]>;
  children: (items: Item[]) => ReactNode;
  empty: ReactNode;
}) {
  if (query.data === undefined) {
    if (query.error) return <Unread error={query.error} retry={() => void query.refetch()} />;
    return <Skeleton lines={3} />;
  }
  if (query.data.length === 0) return empty;
  return (
    <div className="grid gap-3">
      {children(query.data)}
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </div>
  );
}

function Unread({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <div role="alert" className="grid justify-items-start gap-3">
      <Note tone="bad">{error.message}</Note>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}

function Skeleton({ lines }: { lines: number }) {
  return (
    <div role="status" aria-label="Loading" className="grid gap-3">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="h-18 animate-pulse rounded-lg bg-raised" />
      ))}
    </div>
  );
}
