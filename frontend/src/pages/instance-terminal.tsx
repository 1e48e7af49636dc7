import { useBackendNames } from "../parts/backend-names.ts";
import { useShownInstance } from "../parts/shown-instance.ts";
import { WhileRunning } from "../parts/while-running.tsx";
import { Terminal } from "./loaded-later.ts";

export function InstanceTerminal() {
  const { id, state, backendId } = useShownInstance();
  const name = useBackendNames()(backendId);
  return (
    <WhileRunning state={state} what="A terminal opens" kept>
      <Terminal instanceId={id} title={`Terminal on ${name}`} isReachable={state === "running"} />
    </WhileRunning>
  );
}
