import { streamPath } from "../api/http.ts";
import { useShownInstance } from "../parts/shown-instance.ts";
import { WhileRunning } from "../parts/while-running.tsx";
import { StatsPlots } from "./loaded-later.ts";

export function InstanceActivity() {
  const { id, state } = useShownInstance();
  return (
    <WhileRunning state={state} what="There is something to see">
      <StatsPlots path={streamPath.instanceStats(id)} />
    </WhileRunning>
  );
}
