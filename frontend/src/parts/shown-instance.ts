import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Instance } from "@dockhost/protocol/rest";
import { queries } from "../api/queries.ts";

/** The instance whose page this stands on; that page has read it before it shows what is in it. */
export function useShownInstance(): Instance {
  const { id } = useParams({ from: "/signed-in/instances/$id" });
  return useSuspenseQuery(queries.instance(id)).data;
}
