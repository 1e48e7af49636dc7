import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Backend } from "@dockhost/protocol/rest";
import { queries } from "../api/queries.ts";

/** The backend whose page this stands on; that page has read it before it shows what is in it. */
export function useShownBackend(): Backend {
  const { id } = useParams({ from: "/signed-in/backends/$id" });
  return useSuspenseQuery(queries.backend(id)).data;
}
