import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Instance } from "@dockhost/protocol/rest";
import { api } from "../api/http.ts";
import { Button } from "./button.tsx";
import { Failure } from "./note.tsx";

/** Starts what is stopped, and stops what runs. */
export function PowerButton({ instance: { id, state } }: { instance: Instance }) {
  const client = useQueryClient();
  const running = state === "running" || state === "restarting";
  const turn = useMutation({
    mutationFn: () => (running ? api.stopInstance(id) : api.startInstance(id)),
    onSettled: () => client.invalidateQueries({ queryKey: ["instances"] }),
  });
  if (!running && state !== "stopped" && state !== "failed") return null;
  return (
    <div className="grid justify-items-end gap-2">
      <Button size="small" busy={turn.isPending} onClick={() => turn.mutate()} className="min-w-18">
        {running ? "Stop" : "Start"}
      </Button>
      <Failure error={turn.error} />
    </div>
  );
}
