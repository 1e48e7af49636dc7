import type { QueryClient } from "@tanstack/react-query";
import type { AsyncRouteComponent } from "@tanstack/react-router";
import { queries } from "./api/queries.ts";
import { BackendPlots, LogView, StatsPlots, Terminal } from "./pages/loaded-later.ts";

/** Begins to get what a view needs, and answers what of it is worth waiting for. `id` is the one in its address. */
export type Ahead = (client: QueryClient, id: string) => readonly Promise<unknown>[];

/** Then a view is shown all the same, and says itself what is still missing or went wrong. */
const PATIENCE_MS = 400;

/** What a loader is told; it runs as soon as an address is known, or a link to it is pointed at. */
interface Asked {
  context: { client: QueryClient };
  params: object;
}

export async function untilReady(needs: Ahead | undefined, { context, params }: Asked): Promise<void> {
  const id = "id" in params && typeof params.id === "string" ? params.id : "";
  const reads = Promise.allSettled(needs?.(context.client, id) ?? []);
  await Promise.race([reads, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** What was read before is enough: the view reads it anew while it is shown. */
const once = { staleTime: "static" } as const;

const backends: Ahead = (client) => [client.infiniteQuery({ ...queries.backends(), ...once })];

/** What is loaded later has a place of its own in the view, which does not wait for it. */
const part =
  (view: AsyncRouteComponent<never>): Ahead =>
  () => {
    void view.preload?.();
    return [];
  };

export const ahead = {
  instances: (client, id) => [client.infiniteQuery({ ...queries.instances(), ...once }), ...backends(client, id)],
  instance: (client, id) => [client.query({ ...queries.instance(id), ...once }), ...backends(client, id)],
  terminal: part(Terminal),
  log: part(LogView),
  activity: part(StatsPlots),
  backends,
  backend: (client, id) => [client.query({ ...queries.backend(id), ...once })],
  overview: part(BackendPlots),
  containers: (client, id) => [client.query({ ...queries.backendContainers(id), ...once })],
  keys: (client, id) => [client.infiniteQuery({ ...queries.backendKeys(id), ...once })],
  account: (client) => [
    client.infiniteQuery({ ...queries.savedKeys(), ...once }),
    client.infiniteQuery({ ...queries.sessions(), ...once }),
  ],
} satisfies Record<string, Ahead>;
