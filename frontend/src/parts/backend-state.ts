import type { Backend } from "@dockhost/protocol/rest";
import type { ShownState } from "./state.tsx";

/** A backend that is online shows as what it is to who wants an instance. */
export function shownStateOf({ status, draining }: Backend): ShownState {
  if (status === "offline") return "offline";
  return draining ? "draining" : "available";
}
