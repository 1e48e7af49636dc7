import { infiniteQueryOptions, queryOptions, type QueryClient } from "@tanstack/react-query";
import type { Role } from "@dockhost/protocol/rest";
import { api, ApiError, type AuditFilter, type Cursor } from "./http.ts";

/** For what the news tell of; anything else is read anew whenever it comes into sight, as it may have changed. */
const TOLD = { staleTime: 5_000 };

/** What a backend uses is told so often, and to nobody who does not ask. */
const HEARTBEAT_MS = 10_000;

/** What is read, under which name it is kept, and how it is told that it has changed. */
export const queries = {
  signup: () => queryOptions({ queryKey: ["signup"], queryFn: api.signup }),
  me: () => queryOptions({ queryKey: ["me"], queryFn: async () => (await api.me()).user, staleTime: 60_000 }),
  sessions: () => list(["sessions"], api.sessions, ({ sessions }) => sessions),
  savedKeys: () => list(["saved-keys"], api.savedKeys, ({ keys }) => keys),
  instances: () => ({ ...list(["instances", "list"], api.instances, ({ instances }) => instances), ...TOLD }),
  instance: (id: string) =>
    queryOptions({ queryKey: ["instances", "one", id], queryFn: () => api.instance(id), retry: unlessGone, ...TOLD }),
  backends: () => ({ ...list(["backends", "list"], api.backends, ({ backends }) => backends), ...TOLD }),
  backend: (id: string) =>
    queryOptions({
      queryKey: ["backends", "one", id],
      queryFn: () => api.backend(id),
      retry: unlessGone,
      refetchInterval: HEARTBEAT_MS,
      ...TOLD,
    }),
  backendContainers: (id: string) =>
    queryOptions({
      queryKey: ["backend-containers", id],
      queryFn: async () => (await api.backendContainers(id)).containers,
      refetchInterval: HEARTBEAT_MS,
    }),
  backendKeys: (id: string) =>
    list(
      ["backend-keys", id],
      (cursor) => api.backendKeys(id, cursor),
      ({ keys }) => keys,
    ),
  users: () => list(["users"], api.users, ({ users }) => users),
  invitations: () => list(["invitations"], api.invitations, ({ invitations }) => invitations),
  audit: (filter: AuditFilter) =>
    list(
      ["audit", filter],
      (cursor) => api.audit(filter, cursor),
      ({ entries }) => entries,
    ),
};

export const mayRegister = (role: Role): boolean => role !== "user";

/** Another person at the same page sees nothing of the last one. */
export async function forgetEverything(client: QueryClient): Promise<void> {
  await client.cancelQueries();
  client.clear();
}

export function unlessGone(failures: number, error: Error): boolean {
  const final = ["NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"];
  return failures < 2 && !(error instanceof ApiError && final.includes(error.code));
}

/** A list that is read page by page. */
function list<Answer extends { nextCursor: Cursor }, Item>(
  queryKey: readonly unknown[],
  read: (cursor: Cursor) => Promise<Answer>,
  itemsOf: (answer: Answer) => Item[],
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: null as Cursor,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages }) => pages.flatMap(itemsOf),
  });
}
