import { useInfiniteQuery } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";

/** What people call a backend; an instance is known by where it is, as there is one of them on each. */
export function useBackendNames(): (backendId: string) => string {
  const backends = useInfiniteQuery(queries.backends()).data ?? [];
  return (backendId) => backends.find(({ id }) => id === backendId)?.name ?? backendId.slice(0, 8);
}
